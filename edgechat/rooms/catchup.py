"""Brings a newcomer up to a room's newest lines.

A room keeps its newest lines in memory, framed, and lets a newcomer in with one write. Who wants
older ones gets them here, in the newcomer's own task and at the speed at which it reads, until
the rest is in memory. So a room never waits, and nothing grows with the length of a history.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgechat.chat import outgoing, protocol
from edgechat.chat.commands import Join, Reason
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.kinds import is_for
from edgechat.chat.line import Entry, Token
from edgechat.chat.session import Session
from edgechat.chat.state import RoomState
from edgechat.rooms.looking import Look, paced
from edgechat.rooms.socket import Socket
from edgechat.rooms.storage import Log
from edgechat.settings import Settings

_PAGE = 1_000  # lines, and `Settings.page_bytes` at most


async def check_token(state: RoomState, look: Look, since: Token) -> Reason | None:
    """Why one can't go on from `since`, however far back it is; None if one can."""
    if since.seq > state.last.seq:
        return "forked"
    if since.seq < state.base.seq:
        return "trimmed"
    if not state.is_start(since) and since.h != await _hash_at(state, look, since.seq):
        return "forked"
    return None


async def _hash_at(state: RoomState, look: Look, seq: int) -> str | None:
    if seq >= state.backlog.start and (h := state.backlog.hash_at(seq)):
        return h
    for entry in await look(seq - 1, 1):
        if entry.seq == seq and entry.h is not None:
            return entry.h.hex()
    return None


class Catchup:
    """One newcomer on the way into one room."""

    def __init__(
        self, state: RoomState, log: Log, session: Session, socket: Socket, settings: Settings
    ) -> None:
        self._state = state
        self._look = paced(log, session.allowance)
        self._session = session
        self._socket = socket
        self._settings = settings
        self._told: tuple[str, ...] | None = None

    async def join(self, hello: protocol.Hello) -> Join:
        """Where the newcomer goes on, and whether that is what it asked for."""
        if hello.since is None:
            return Join(self._session, self._backlog(hello))
        reason = await self._check(hello.since)
        if reason is None:
            return Join(self._session, hello.since.seq, recovered=True)
        return Join(self._session, self._backlog(hello), recovered=False, reason=reason)

    async def read_up(self, join: Join) -> Join:
        """Send what is older than the room's memory; returns the join for the rest.

        Raises `Disconnected`, `StorageUnavailable`.
        """
        after = join.after
        while after < self._state.backlog.start:
            self._greet()
            entries = await self._look(after, _PAGE)
            if not entries:
                raise StorageUnavailable("lines that were there are gone")
            self._socket.write(self._frames(entries))
            await self._socket.drained()
            after = entries[-1].seq
        return Join(self._session, after, join.recovered, join.reason, self._told)

    def _backlog(self, hello: protocol.Hello) -> int:
        lines = self._settings.backlog if hello.backlog is None else hello.backlog
        lines = min(max(lines, 0), self._settings.max_backlog)
        return max(self._state.last.seq - lines, self._state.base.seq)

    async def _check(self, since: Token) -> Reason | None:
        """Why one can't go on from `since`; None if one can. Wrong in two ways is `forked`."""
        head = self._state.last.seq
        reason = await check_token(self._state, self._look, since)
        return reason or ("far" if head - since.seq > self._settings.max_resume else None)

    def _greet(self) -> None:
        """The roster comes before the lines, as in the demo; once."""
        if self._told is None:
            roster, v2 = self._state.roster, self._session.v2
            self._told = roster.present(v2=v2)
            self._socket.write(roster.greeting(v2=v2))

    def _frames(self, entries: Sequence[Entry]) -> bytes:
        return b"".join(
            outgoing.lost(entry.seq) if entry.line is None else outgoing.text_frame(entry.line)
            for entry in entries
            if is_for(entry.line, v2=self._session.v2)
        )
