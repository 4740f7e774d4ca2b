"""A room's state: its head, its newest lines, its roster. Nothing here sends, writes or waits.

A batch of commands goes through it in two steps, and between them its lines are stored:

    drafted = draft(room, commands, ...)    what each message becomes; changes nothing
    ...drafted.lines are stored...
    outcome = apply(room, drafted, ...)     they are stored, or refused: now everybody may know
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgechat.chat import outgoing
from edgechat.chat.backlog import Backlog
from edgechat.chat.commands import Join
from edgechat.chat.kinds import is_for
from edgechat.chat.line import NOWHERE, Entry, StoredLine, Token
from edgechat.chat.roster import Roster
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.typists import Typists
from edgechat.settings import Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """A history as a room finds it. `base` is the token before its first line."""

    base: Token
    head: Token
    stamp: int  # the last line's timestamp, ms
    exists: bool  # False until the first message makes the file
    backlog: Sequence[Entry]


class RoomState:
    """One room's state: its head, its newest lines, its roster."""

    __slots__ = (
        "_exists",
        "_name",
        "_settings",
        "backlog",
        "base",
        "last",
        "limits",
        "roster",
        "seen_ids",
        "typists",
    )

    def __init__(self, name: str, settings: Settings, opened: Opened) -> None:
        self._name = name
        self._settings = settings
        self._exists = opened.exists
        self.base = opened.base
        self.last = StoredLine(opened.head.seq, bytes.fromhex(opened.head.h), opened.stamp, b"")
        before = opened.head.seq - len(opened.backlog)
        self.backlog = Backlog(
            opened.base if before == opened.base.seq else Token(before, ""),
            settings.recent_lines,
            settings.recent_bytes,
        )
        self.backlog.fill(opened.backlog)
        self.roster = Roster(settings.big_room)
        self.limits = {  # what a client may say here, and how often
            "message_chars": settings.max_message_chars,
            "name_chars": settings.max_name_chars,
            "interval_ms": round(settings.message_interval * 1000),
            "grace_ms": round(settings.message_grace * 1000),
        }
        self.seen_ids: SeenIds | None = None  # read from the history when first needed
        self.typists: Typists | None = None  # until somebody types

    @property
    def head(self) -> Token:
        """The newest line's token; `NOWHERE` while there is no file."""
        return self.last.token if self._exists else NOWHERE

    def is_start(self, token: Token) -> bool:
        """Whether `token` is a place before the first line."""
        return token == NOWHERE or (token == self.base and self._exists)

    def store(self, new: StoredLine, id: str | None, frame: bytes) -> None:
        """`new` is in the history: the room's head moves to it."""
        self._exists = True
        self.last = new
        self.backlog.add(frame, for_v1=not new.kind or is_for(new.line, v2=False))
        if id is not None and self.seen_ids is not None:
            self.seen_ids.add(id, new.seq)

    def hear(self, new: StoredLine, id: str | None) -> None:
        """`new` was said elsewhere, and is in the history: the room's head moves to it."""
        self._exists = True
        self.last = new
        self.backlog.fill([Entry(new.seq, new.line, new.h)])
        if id is not None and self.seen_ids is not None:
            self.seen_ids.add(id, new.seq)

    def type(self, name: str, now: float) -> bytes:
        """`name` types: what v2 members are told."""
        if self.typists is None:
            self.typists = Typists(self._settings.typing_shown)
        return outgoing.typing(self.typists.note(name, now))

    def stop_typing(self, name: str) -> None:
        """`name` said it, or left."""
        if self.typists is not None:
            self.typists.forget(name)

    def ready(self, join: Join) -> bytes:
        """The frame that completes a join."""
        recovery: dict[str, Any] = {}
        if join.recovered is not None:
            recovery["recovered"] = join.recovered
        if join.reason is not None:
            recovery["reason"] = join.reason
        version = self._settings.web_version
        return outgoing.ready(
            self._name, self.head, len(self.roster), self.limits, recovery, version
        )
