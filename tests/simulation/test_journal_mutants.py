"""The journal, broken on purpose: a world must notice, or its promises are not tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from edgechat import system
from edgechat.history import doubts, journal, recovery
from edgechat.history.file_syncer import FileSyncer
from edgechat.history.journal_reader import Journalled, Place
from edgechat.history.journal_segment import Segment
from edgechat.history.writer import Writer

from . import scene
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
    def sort(fd: int, journalled: Journalled) -> tuple[list[bytes], list[Place]]:
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


MUTANTS = (
    told_before_the_sync,
    dropped_too_early,
    replayed_twice,
    never_replayed,
    a_failed_sync_is_believed,
    a_failed_sync_of_a_file_is_believed,
    the_names_of_new_files_are_not_synced,
)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    to_disk(monkeypatch)
    mutant(monkeypatch)
    for number in range(MOST):
        try:
            run(f"mutant {number}")
        except Failure:
            return
    pytest.fail("nobody noticed")


def to_disk(patch: pytest.MonkeyPatch) -> None:
    """No world is spent on `os` durability, which has no journal."""
    settings = scene.settings

    def chosen(random: Any) -> Any:
        while (made := settings(random)).durability != "disk":
            pass
        return made

    patch.setattr(scene, "settings", chosen)
