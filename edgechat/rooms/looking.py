"""Looks into a history, as often as an address may look.

Each takes some ms of a thread, and Python runs one thread at a time: whoever reads a million lines
must not make everybody else wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.line import Entry
from edgechat.rooms.storage import Log

# At most so many entries after a line, as `Log.after`.
Look = Callable[[int, int], Awaitable[Sequence[Entry]]]


def paced(log: Log, allowance: Spendable) -> Look:
    """`log.after`, each look when it is its address's turn."""

    async def after(seq: int, most: int) -> Sequence[Entry]:
        if wait := allowance.reserve_read(trio.current_time()):
            await trio.sleep(wait)
        return await log.after(seq, most)

    return after
