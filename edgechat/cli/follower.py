"""Follows a room for ever: every line once and in order, or a word that something is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgechat.cli.showing import note
from edgechat.cli.writer import Writer

if TYPE_CHECKING:
    from edgechat.client import Event, Room


class Follower:
    """Gives a writer each line of a room, from its events."""

    def __init__(self, room: Room, writer: Writer, older: int) -> None:
        """`older`: lines to fetch from before those that the join brings."""
        self._room = room
        self._writer = writer
        self._older = older
        self._last = 0  # the seq of the last line that was written
        self._missed: int | None = None  # after a reset: what was missed begins after this line
        self._is_away = False

    async def take(self, event: Event) -> None:
        """Write what is to be written of an event."""
        from edgechat.client import Disconnected, Lost, Message, Ready, Reset, UnknownRecord

        match event:
            case Message() | Lost() | UnknownRecord():
                await self._fill(event.seq)
                self._writer.line(event)
                self._last = event.seq
            case Reset(reason=reason):
                self._reset(reason)
            case Ready():
                await self._fill(event.seq + 1)
                self._last = max(self._last, event.seq)
                if self._is_away:
                    note("The server is back.")
                self._is_away = False
            case Disconnected() if not self._is_away:
                self._is_away = True
                note(f"The server is away ({event.text}): waiting for it.")

    def _reset(self, reason: str) -> None:
        if reason == "forked":
            self._last = 0
        else:  # the same history: what lies between can be fetched
            self._missed = self._last
        if reason != "far":
            self._writer.reset(reason)

    async def _fill(self, seq: int) -> None:
        """Write what lies before line `seq` and did not come by itself."""
        after = self._missed
        if self._older:
            after, self._older = max(0, seq - 1 - self._older), 0
        self._missed = None
        if after is not None and after < seq - 1:
            async for line in self._room.history(after=after, before=seq):
                self._writer.line(line)
