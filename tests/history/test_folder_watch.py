"""A look at a folder stands for one at each file in it: wherever a name changed, it has to show."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgechat import system
from edgechat.history.folder_watch import FolderWatch


class Clocked:
    """A folder on a file system whose times have a grain, and the clock beside it."""

    def __init__(self, grain: int, shows: str = "st_ctime_ns") -> None:
        """`grain` in ns."""
        self.now = 0.0
        self.shows = shows  # a change, but for where it is replaced
        self.gone = False
        self._grain = grain
        self._time = 123  # ns

    def change(self) -> None:
        self._time = (round(self.now * 1e9) + 456) // self._grain * self._grain

    def stat(self, path: str) -> SimpleNamespace:
        if self.gone:
            raise FileNotFoundError(path)
        shown = {"st_dev": 1, "st_ino": 2, "st_mtime_ns": 3, "st_ctime_ns": 4}
        return SimpleNamespace(**shown | {self.shows: self._time})


def a_watch(patch: pytest.MonkeyPatch, grain: int = 1) -> tuple[Clocked, FolderWatch]:
    folder = Clocked(grain)
    patch.setattr(system, "stat", folder.stat)
    patch.setattr(system, "monotonic", lambda: folder.now)
    return folder, FolderWatch(Path("rooms"))


PAUSES = st.floats(0, 2.5) | st.floats(0, 0.02) | st.sampled_from([0.0, 0.001, 0.09, 0.1, 1.0])
STEPS = st.lists(st.tuples(PAUSES, st.sampled_from(["change", "look"])), max_size=40)
MS = 1_000_000


@example(
    grain=10 * MS,
    steps=[(1.011, "change"), (0.0, "look"), (0.002, "look"), (0.002, "change"), (0.5, "look")],
)
@given(grain=st.sampled_from([1, 4 * MS, 10 * MS, 1_000 * MS, 2_000 * MS]), steps=STEPS)
def test_every_change_makes_another_edition(grain: int, steps: list[tuple[float, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder, it = a_watch(patch, grain)
        it.look()
        seen, changed = it.generation, False
        for pause, step in steps:
            folder.now += pause
            if step == "change":
                folder.change()
                changed = True
            else:
                it.look()
                assert not changed or it.generation != seen, "believed what it had seen before"
                seen, changed = it.generation, False


@pytest.mark.parametrize(("grain", "fresh"), [(1, 0.1), (1_000 * MS, 3.0)])
def test_where_nothing_changes_it_is_believed_for_a_second(
    grain: int, fresh: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not before two changes can't have had the same time any more."""
    folder, it = a_watch(monkeypatch, grain)
    folder.change()
    early: list[int] = []
    late: list[int] = []
    for step in range(500):
        folder.now = step / 50
        it.look()
        (early if folder.now < fresh else late).append(it.generation)
    assert len(set(early)) == len(early)
    assert 10 - fresh - 1 <= len(set(late)) <= 10 - fresh + 1


def test_a_folder_that_goes_and_comes_makes_other_generations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, it = a_watch(monkeypatch)
    generations = {it.generation}
    for now, gone in (0.0, True), (0.1, True), (0.2, False), (9.0, True), (9.1, True), (20.0, True):
        folder.now, folder.gone = now, gone
        it.look()
        generations.add(it.generation)
    assert len(generations) == 7, "what can't be seen is not believed"


@pytest.mark.parametrize("what", ["st_dev", "st_ino", "st_mtime_ns", "st_ctime_ns"])
def test_any_of_these_shows_a_change(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, it = a_watch(monkeypatch)
    folder.shows = what
    for now in (0.0, 4.0):
        folder.now = now
        it.look()
    before = it.generation
    folder.now = 4.1
    it.look()
    assert it.generation == before
    folder.change()
    it.look()
    assert it.generation == before + 1


@pytest.mark.parametrize("how", ["made", "removed", "renamed", "folder replaced"])
def test_real_folders_show_it(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(system, "monotonic", lambda: now)
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    (rooms / "a").touch()
    os.utime(rooms, (0, 0))
    it = FolderWatch(rooms)
    it.look()
    now = 5.0  # now it is believed for a second
    it.look()
    before = it.generation
    it.look()
    assert it.generation == before
    if how == "made":
        (rooms / "b").touch()
    elif how == "removed":
        (rooms / "a").unlink()
    elif how == "renamed":
        (rooms / "a").rename(rooms / "b")
    else:
        rooms.rename(tmp_path / "old")
        rooms.mkdir()
        os.utime(rooms, (0, 0))
    it.look()
    assert it.generation != before
