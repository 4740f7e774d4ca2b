"""Random waits: who speaks where everybody speaks waits for a moment, or all are late for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import trio

from edgechat import system

_STEP, _STEPS = 0.005, 4  # seconds of waiting, times as often as a room was late, up to so often


class Delays:
    """Those who wait, while it runs."""

    def __init__(self) -> None:
        self._nursery: trio.Nursery

    async def run(self) -> NoReturn:
        """Let them wait, for ever."""
        async with trio.open_nursery() as self._nursery:
            await trio.sleep_forever()

    def later(self, moved: int, do: Callable[[], None]) -> None:
        """Call `do` in a moment; `moved`: how often it was late."""
        self._nursery.start_soon(self._wait, moved, do)

    async def _wait(self, moved: int, do: Callable[[], None]) -> None:
        share = system.token_bytes(1)[0] / 255
        await trio.sleep(share * _STEP * min(moved, _STEPS))
        do()
