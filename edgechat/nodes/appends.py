"""The storage that several nodes share: what is said is appended in the engine, and kept in files.

A node drafts, and the engine compares: it appends iff the room's head is still the line that the
draft goes on from. So there is one order, whoever speaks where, and no node owns a room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import hiredis
import trio

from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import StoredLine, claimed
from edgechat.nodes import scripts
from edgechat.nodes.chain import beyond, follow, place_after, split
from edgechat.nodes.delays import Delays
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.flight import Flight, take_off
from edgechat.nodes.level import append_words
from edgechat.nodes.replicas import Replicas
from edgechat.nodes.room_log import RoomLog
from edgechat.rooms.storage import Answer, Moved, Unanswered

_UNSENT = 2.0  # seconds without an engine after which what was not sent is refused
_UNANSWERED = 10.0  # seconds after which nobody waits for what was sent
_GONE = "the engine can't be reached"

Level = Callable[[RoomLog], None]


class Appends:
    """The way of a room's lines to the engine, and of the engine's answer to the room."""

    def __init__(
        self,
        up: Callable[[], EngineConnection | None],
        level: Level,
        settle: Callable[[], None],
        replicas: int = 0,
    ) -> None:
        """`up` is the connection that is up. `level` has a log brought up, which then `launch`es.

        `settle` has `take_answers` called. What is stored is told when so many `replicas` have it.
        """
        self.logs: dict[bytes, RoomLog] = {}  # by channel
        self.moved = 0  # times that others were first
        self.stored = 0  # batches
        self.replicas = Replicas(replicas, up, self.logs, self._abandon, self.launch)
        self._up = up
        self._level = level
        self._settle = settle
        self.delays = Delays()
        self._answers: list[Answer] = []
        self._at_once: list[Answer] = []  # to what was submitted since the last `send`

    def submit(self, log: RoomLog, after: StoredLine, lines: Sequence[bytes], ticket: Any) -> None:
        """See `rooms.storage.Storage`."""
        place = place_after(after)
        if log.failure is not None:
            self._at_once.append((ticket, log.failure))
        elif place != log.tip and not log.held:  # the room is about to hear why
            self._at_once.append((ticket, Moved()))
        else:
            log.flight = take_off(ticket, place, lines)
            log.landed = self._stored
            self.launch(log)

    def send(self) -> Sequence[Answer]:
        """See `rooms.storage.Storage`. What others were answered meanwhile is not among these."""
        self._flush()
        answers, self._at_once = self._at_once, []
        return answers

    def take_answers(self) -> Sequence[Answer]:
        """Those that came later, after all that was asked went out."""
        self._flush()
        answers, self._answers = self._answers, []
        return answers

    def _flush(self) -> None:
        self.replicas.ask()
        if (connection := self._up()) is not None:
            connection.flush()

    def launch(self, log: RoomLog) -> None:
        """Send what a room wants stored, if that can be sent now and is still to be sent."""
        if log.failure is not None:
            self._abandon(log)
        flight, connection = log.flight, self._up()
        if flight is None:
            return
        if log.failure is not None:
            self._answer(log, Unanswered() if flight.sent else log.failure)
        elif flight.after != log.tip:  # it is known that it was not stored
            if not log.held:  # else the room does not know yet what is before it
                self._answer(log, Moved())
        elif connection is not None and log.is_level and not self.replicas.trouble:
            flight.sent = True
            header = log.header_for(flight.lines[0]) if log.is_new else b""
            words = append_words(log.keys, flight.after, flight.last, header, flight.lines)
            connection.call(partial(self._replied, log, flight), *words)

    def hear(self, log: RoomLog, data: bytes) -> None:
        """Lines were said somewhere: here, or on another node."""
        if log.failure is not None:
            return
        flight = log.flight
        if flight is not None and data.endswith(flight.ending) and flight.after == log.tip:
            log.store(flight)  # our own, before the answer
            return
        after, _, text = data.partition(b" ")
        lines = split(text)
        if int(after) + len(lines) <= log.tip.seq and claimed(lines[-1]) is not None:
            if int(after) + len(lines) == log.tip.seq and claimed(lines[-1]) != log.tip.h:
                self._level(log)  # another chain
        elif int(after) > log.tip.seq:  # a gap
            self._level(log)
        else:
            try:
                log.grow(follow(log.tip, beyond(log.tip, lines)))
            except Forked:
                self._level(log)

    def give_up(self, down_for: float) -> None:
        """Answer those who have waited too long. `down_for`: seconds without a link, 0 with one."""
        self.replicas.look()
        now, trouble = trio.current_time(), self.replicas.trouble or _GONE
        for log in list(self.logs.values()):
            flight = log.flight
            if flight is None:
                continue
            waited = now - flight.asked_at
            if flight.sent:
                if min(waited, down_for) > _UNANSWERED:
                    self._answer(log, Unanswered())
                    log.fail(_GONE)
            elif max(waited, down_for) > _UNSENT:
                self._answer(log, StorageUnavailable(trouble))

    def _replied(self, log: RoomLog, flight: Flight, reply: Any) -> None:
        if log.flight is not flight or isinstance(reply, LinkDown):
            return  # known by another way; or to be sent again when the link is up
        if reply == scripts.STORED:
            log.store(flight)
        elif reply in (scripts.MOVED, scripts.ABSENT):
            flight.sent = False
            self.moved += reply == scripts.MOVED
            log.moved += 1
            if log.tip == flight.after:  # nobody told us yet
                self._level(log)
            elif log.moved == 1:
                self.launch(log)
            else:
                self.delays.later(log.moved, partial(self._launch_later, log))
        elif isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT"):
            self._load_scripts(log)
        else:
            self._refuse(log, str(reply))

    def _launch_later(self, log: RoomLog) -> None:
        self.launch(log)
        self._settle()

    def _load_scripts(self, log: RoomLog) -> None:
        """Somebody flushed them."""
        connection = self._up()
        assert connection is not None
        for script in scripts.ALL:
            connection.call(lambda reply: None, "SCRIPT", "LOAD", script.text)
        self.launch(log)

    def _refuse(self, log: RoomLog, reason: str) -> None:
        """The engine's own word: nothing was stored."""
        connection = self._up()
        if reason.startswith("READONLY") and connection is not None:
            connection.cut()  # it is no primary any more
        self._answer(log, StorageUnavailable(f"the engine says: {reason}"))

    def _abandon(self, log: RoomLog) -> None:
        """The room is of no more use; if it waits for replicas, nobody knows what they have."""
        if (flight := log.unsafe) is not None:
            self._answers.append((flight.ticket, Unanswered()))
        log.unsafe = None

    def _answer(self, log: RoomLog, failure: Exception) -> None:
        flight, log.flight = log.flight, None
        assert flight is not None
        self._answers.append((flight.ticket, failure))

    def _stored(self, flight: Flight) -> None:
        self.stored += 1
        self._answers.append((flight.ticket, None))
