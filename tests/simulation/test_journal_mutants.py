"""The journal, broken on purpose: a world must notice, or its promises are not tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from errno import EIO
from typing import Any

import pytest

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.history import reader, room_history
from edgechat.history.journal import doubts, journal, recovery
from edgechat.history.journal.contents import Journalled, JournalLine
from edgechat.history.journal.file_syncer import FileSyncer
from edgechat.history.journal.segment import Segment
from edgechat.history.reader import File
from edgechat.history.write_behind import WriteBehind
from edgechat.history.writer import Writer

from . import scene
from .actions import CALLS, Action, Come, Cut, Fail, Go, Heal, PowerLoss, Say, Wait
from .world import Failure, run

MOST = 600  # worlds until it has to be noticed


def told_before_the_sync(patch: pytest.MonkeyPatch) -> None:
    def sync(self: Segment) -> None:
        self.synced = self.written

    patch.setattr(Segment, "sync", sync)


def dropped_too_early(patch: pytest.MonkeyPatch) -> None:
    async def sync(self: FileSyncer, writers: Sequence[Writer], of: Sequence[Segment]) -> None:
        for segment in of:
            for writer in writers:
                segment.covers.pop(writer.key, None)

    patch.setattr(FileSyncer, "sync", sync)


def replayed_twice(patch: pytest.MonkeyPatch) -> None:
    def sort(fd: int, journalled: Journalled) -> tuple[list[bytes], list[JournalLine]]:
        return [place.line for place in journalled.places], []

    patch.setattr(recovery, "_sort", sort)


def never_replayed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doubts, "recover_room", lambda *_: recovery.Recovered())


def a_failed_sync_is_believed(patch: pytest.MonkeyPatch) -> None:
    def sync(self: Segment) -> None:
        assert self._fd is not None
        with suppress(OSError):
            system.fdatasync(self._fd)
        self.synced = self.written

    patch.setattr(Segment, "sync", sync)


def a_failed_sync_of_a_file_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doubts.Doubts, "doubt", lambda *_: None)


def the_names_of_new_files_are_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal.Journal, "_sync_names", lambda _: None)


def an_earlier_room_is_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    async def write_room(self: WriteBehind, key: RoomKey) -> None: ...

    patch.setattr(WriteBehind, "write_room", write_room)


def what_is_not_in_the_file_is_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room_history, "read_after", lambda file, _, *asked: reader.read(file, *asked))


def the_journal_is_not_written(patch: pytest.MonkeyPatch) -> None:
    def append(self: Segment, data: bytes) -> None:
        self.written += len(data)

    patch.setattr(Segment, "append", append)


def files_are_written_twice(patch: pytest.MonkeyPatch) -> None:
    def written(self: Writer, count: int, file: File | None) -> None:
        if file is not None and count:
            self._last, self.file = self.unwritten[count - 1], file
        del self.unwritten[1:count]
        self.rests()

    patch.setattr(Writer, "written", written)


BEHIND = (
    never_replayed,
    the_journal_is_not_written,
    files_are_written_twice,
)
MUTANTS = (
    told_before_the_sync,
    dropped_too_early,
    replayed_twice,
    never_replayed,
    the_names_of_new_files_are_not_synced,
)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    notice(monkeypatch, mutant, "disk")


@pytest.mark.parametrize("mutant", BEHIND)
def test_it_is_noticed_with_the_default(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """What was shown survives the process: it is in the journal, and in memory, before its file."""
    notice(monkeypatch, mutant, "os")


def test_a_failed_sync_that_is_believed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Fail(CALLS.index("fdatasync"), EIO, 2)
    actions = (Come(0), Say(0, 1), Wait(0.5), failing, Say(0, 3), Wait(0.5))
    notice(monkeypatch, a_failed_sync_is_believed, "disk", actions)


def test_a_failed_sync_of_a_file_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to come when a segment of the journal is about to go: in one of 500 worlds."""
    said = (Come(0), Come(1), Say(0, 3), Wait(0.5))
    failed = (Fail(CALLS.index("fsync"), EIO, 2), Wait(2.0), Heal(), Wait(2.0))
    notice(
        monkeypatch, a_failed_sync_of_a_file_is_believed, "disk",
        (*said, *failed, PowerLoss(0), Come(0), Wait(2.0)),
    )  # fmt: skip


def test_an_earlier_room_that_is_not_waited_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All leave a room, which ends, and come back before its file has what was said last."""
    all_leave = (Go(1), Go(2), Go(3), Go(5))
    said = (Come(0), Say(0, 1), Wait(3.0), *all_leave, Say(0, 3), Wait(0.1), Go(0))
    notice(
        monkeypatch, an_earlier_room_is_not_waited_for, "os",
        (*said, Wait(0.55), Come(0), Say(0, 1), Wait(3.0)),
    )  # fmt: skip


def test_that_what_is_not_in_the_file_is_not_read_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who was away comes back seconds later: until then the file must lack it still."""
    said = (Come(0), Come(1), Say(0, 1), Wait(0.5), Cut(1, 0.0), Say(0, 12), Wait(3.0))
    notice(
        monkeypatch, what_is_not_in_the_file_is_not_read, "os",
        (*said, Come(1), Wait(3.0)), sync_interval=60.0, recent_lines=1,
    )  # fmt: skip


def notice(
    patch: pytest.MonkeyPatch,
    mutant: Callable[[pytest.MonkeyPatch], None],
    durability: str,
    actions: Sequence[Action] | None = None,
    **changes: float,
) -> None:
    choose(patch, durability, **changes)
    mutant(patch)
    for number in range(MOST):
        try:
            run(f"mutant {number}", actions)
        except Failure:
            return
    pytest.fail("nobody noticed")


def choose(patch: pytest.MonkeyPatch, durability: str, **changes: float) -> None:
    """No world is spent on the other one."""
    settings = scene.settings

    def chosen(random: Any) -> Any:
        while (made := settings(random)).durability != durability:
            pass
        return replace(made, **changes)  # type: ignore[arg-type]

    patch.setattr(scene, "settings", chosen)
