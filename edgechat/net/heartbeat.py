"""Finds the dead: a peer from which nothing came for a while is asked, and then let go."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn, Protocol

import trio

from edgechat.chat.errors import Close
from edgechat.settings import Settings

_TICKS = 4  # in one heartbeat: the precision with which silence is known


class Beating(Protocol):
    """A connection whose silence is counted. It sets `silence` to 0 when anything comes."""

    silence: int

    def ping(self) -> None:
        """Ask whether it lives (RFC 6455, section 5.5.2). Never waits."""

    def close(self, code: Close, reason: str = "") -> None:
        """Let it go. Never waits."""


async def keep_heartbeat(sockets: Collection[Beating], settings: Settings) -> NoReturn:
    """One task for all: `heartbeat` s of silence, a ping, `heartbeat_timeout` s, 4408.

    A task or a timer for each would cost memory and wake-ups that an idle server does not need.
    """
    tick = settings.heartbeat / _TICKS
    ask, give_up = _TICKS, _TICKS + max(1, round(settings.heartbeat_timeout / tick))
    while True:
        await trio.sleep(tick)
        for socket in list(sockets):
            socket.silence += 1
            if socket.silence == ask:
                socket.ping()
            elif socket.silence >= give_up:
                socket.close(Close.SILENT, "no answer to heartbeats")
