"""Nodes broken on purpose: a world must notice, or its promises are not tried.

Each mutant is told in which kind of world to look for it: others would notice, later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgechat import system
from edgechat.chat.line import StoredLine, claimed, parse_line
from edgechat.nodes import arrival, history_files, level, room_log, scripts
from edgechat.nodes.appends import Appends
from edgechat.nodes.archivist import Archivist
from edgechat.nodes.chain import Point, split
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.flight import Flight
from edgechat.nodes.lookout import Lookout
from edgechat.nodes.node_rosters import NodeRosters
from edgechat.nodes.replicas import Replicas
from edgechat.nodes.room_log import RoomLog
from edgechat.nodes.upkeep import Upkeep

from ..world import Failure
from . import actions, engine, world
from .engine import Engine
from .world import run

MOST = 60  # worlds until it has to be noticed
TROUBLED, FORGETFUL, MENDED = actions.KINDS
TALK = {"say": 3, "all_say": 3, "move": 1, "wait": 1}
FORKS = {**TALK, "part": 3}
NOT_HEARD = {"all_say": 6, "say": 2, "move": 2, "lose_pushes": 4, "hold": 1}
CUTS = {"wait": 1, "say_and_cut": 1}
LOSSES = {"say": 1, "wait": 1, "promote": 1}
KILLS = {**TALK, "kill_node": 4}
Patch = pytest.MonkeyPatch


def appended_whatever_the_head_is(patch: Patch) -> None:
    """Only the order of the stream's ids is left."""

    def append(self: Engine, keys: Sequence[bytes], words: Sequence[bytes]) -> int:
        head = self.state.hashes.get(keys[0])
        if head is not None:
            head |= {b"seq": words[0], b"h": words[1]}
        return Engine._append(self, keys, words)

    patch.setitem(engine._SCRIPTS, scripts.APPEND.sha.encode(), append)


def a_gap_is_passed_over(patch: Patch) -> None:
    hear = Appends.hear

    def hear_on(self: Appends, log: RoomLog, data: bytes) -> None:
        after, _, text = data.partition(b" ")
        if int(after) > log.tip.seq and log.flight is None and log.failure is None:
            lines = split(text)
            place = Point(int(after), b"")
            log.grow(list(_as_they_are(place, lines)))
        else:
            hear(self, log, data)

    patch.setattr(Appends, "hear", hear_on)


def _as_they_are(place: Point, lines: Iterable[bytes]) -> Iterable[StoredLine]:
    for seq, line in enumerate(lines, place.seq + 1):
        yield StoredLine(seq, claimed(line) or b"", parse_line(line).timestamp, line)


def lost_pushes_are_not_looked_for(patch: Patch) -> None:
    patch.setattr(Lookout, "_compare", lambda *_: None)


def ids_are_not_read(patch: Patch) -> None:
    async def ids(self: RoomLog, depth: int) -> dict[str, int]:
        return {}

    patch.setattr(RoomLog, "ids", ids)


def a_fork_is_cut_off_and_not_kept(patch: Patch) -> None:
    def move_tail(path: Path, beside: Path, keep: int) -> None:
        fd = system.open(path, system.O_RDWR | system.O_CLOEXEC)
        try:
            system.ftruncate(fd, keep)
        finally:
            system.close(fd)

    patch.setattr(history_files, "_move_tail", move_tail)


def nobody_waits_for_others_to_mend(patch: Patch) -> None:
    patch.setattr(arrival, "_MENDING", 0.0)


def nothing_is_given_back(patch: Patch) -> None:
    async def take_theirs(*_: object) -> int:
        raise Forked("it lacks lines")

    patch.setattr(level, "_give", take_theirs)


def what_is_not_answered_is_refused(patch: Patch) -> None:
    replied = Appends._replied

    def reply(self: Appends, log: RoomLog, flight: Flight, reply: Any) -> None:
        if isinstance(reply, LinkDown) and log.flight is flight:
            self._refuse(log, "it did not answer")
        else:
            replied(self, log, flight, reply)

    patch.setattr(Appends, "_replied", reply)


def forked_before_catching_up(patch: Patch) -> None:
    async def reach(self: RoomLog, seq: int) -> None:
        pass

    patch.setattr(room_log.RoomLog, "reach", reach)


def the_dead_stay(patch: Patch) -> None:
    patch.setattr(NodeRosters, "_forget_the_dead", lambda self: None)


def trimmed_before_it_is_in_files(patch: Patch) -> None:
    store = Appends._stored

    def stored(self: Appends, flight: Flight) -> None:
        store(self, flight)
        for room in self.logs.values():
            if room.landed == self._stored and (connection := self._up()) is not None:
                words = ("XTRIM", room.keys.stream, "MINID", "~", f"{room.tip.seq + 1}-0")
                connection.call(lambda reply: None, *words)

    patch.setattr(Appends, "_stored", stored)


def replicas_are_not_waited_for(patch: Patch) -> None:
    def hold(self: Replicas, room: RoomLog | None, tell: Callable[[], None]) -> None:
        if room is not None:
            room.held -= 1
        tell()

    patch.setattr(Replicas, "hold", hold)


def a_file_that_failed_is_not_tried_again(patch: Patch) -> None:
    keep = Upkeep.keep

    async def keep_once(self: Upkeep, key: Any) -> None:
        await keep(self, key)
        self.troubles.clear()

    patch.setattr(Upkeep, "keep", keep_once)


def lines_are_not_written_again(patch: Patch) -> None:
    """What a file did not take is forgotten."""
    write = Archivist._write_some

    async def write_some(self: Archivist, room: RoomLog) -> None:
        try:
            await write(self, room)
        finally:
            room.pending.clear()

    patch.setattr(Archivist, "_write_some", write_some)


MUTANTS = (
    (appended_whatever_the_head_is, TALK),
    (a_gap_is_passed_over, NOT_HEARD),
    (lost_pushes_are_not_looked_for, NOT_HEARD),
    (ids_are_not_read, {**TALK, "say_and_move": 6}),
    (a_fork_is_cut_off_and_not_kept, FORKS),
    (nobody_waits_for_others_to_mend, LOSSES),
    (nothing_is_given_back, LOSSES),
    (what_is_not_answered_is_refused, CUTS),
    (forked_before_catching_up, {"say": 3, "move": 6, "lose_pushes": 4}),
    (the_dead_stay, KILLS),
    (trimmed_before_it_is_in_files, KILLS),
    (replicas_are_not_waited_for, {**TALK, "promote": 3, "kill_node": 2}),
    (a_file_that_failed_is_not_tried_again, {**TALK, "fill_disk": 4, "kill_node": 1}),
    (lines_are_not_written_again, {**TALK, "fill_disk": 4}),
)


@pytest.mark.parametrize(("mutant", "kind"), MUTANTS, ids=lambda one: getattr(one, "__name__", ""))
def test_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[Patch], None], kind: Any
) -> None:
    monkeypatch.setattr(world, "KINDS", (kind,))
    mutant(monkeypatch)
    for number in range(MOST):
        try:
            run(f"mutant {number}")
        except Failure:
            return
    pytest.fail("nobody noticed")
