"""A look at a folder stands for one at each file in it: wherever a name changed, it has to show."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgechat.edge import shelf
from edgechat.edge.shelf import Shelf


class Clocked:
    """A folder on a file system whose times have a grain. It stands in the place of `os`."""

    def __init__(self, grain: float) -> None:
        self.now = 0.0
        self.gone = False
        self._grain = grain
        self._changed_at = -1.0

    def change(self) -> None:
        self._changed_at = self.now

    def stat(self, path: str) -> SimpleNamespace:
        if self.gone:
            raise FileNotFoundError(path)
        time = self._changed_at // self._grain if self._grain else self._changed_at
        return SimpleNamespace(st_dev=1, st_ino=2, st_mtime_ns=time, st_ctime_ns=time)


def a_shelf(patch: pytest.MonkeyPatch, grain: float = 0.0) -> tuple[Clocked, Shelf]:
    folder = Clocked(grain)
    patch.setattr(shelf, "os", folder)
    return folder, Shelf(Path("rooms"))


STEPS = st.lists(st.tuples(st.floats(0, 2.5), st.sampled_from(["change", "look"])), max_size=40)


@given(grain=st.sampled_from([0.0, 0.004, 0.1, 1.0, 2.0]), steps=STEPS)
def test_every_change_makes_another_edition(grain: float, steps: list[tuple[float, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder, it = a_shelf(patch, grain)
        it.look(0.0)
        seen, changed = it.edition, False
        for pause, step in steps:
            folder.now += pause
            if step == "change":
                folder.change()
                changed = True
            else:
                it.look(folder.now)
                assert not changed or it.edition != seen, "believed what it had seen before"
                seen, changed = it.edition, False


def test_where_nothing_changes_it_is_believed_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    _, it = a_shelf(monkeypatch)
    editions = []
    for tenth in range(100):
        it.look(tenth / 10)
        editions.append(it.edition)
    assert len(set(editions[:31])) >= 30, "may two changes have had the same time?"
    assert len(set(editions[31:])) <= 8


def test_a_folder_that_goes_and_comes_makes_other_editions(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, it = a_shelf(monkeypatch)
    editions = set()
    for now, gone in (100.0, False), (200.0, True), (200.1, True), (200.2, False):
        folder.gone = gone
        it.look(now)
        editions.add(it.edition)
    assert len(editions) == 4


@pytest.mark.parametrize("how", ["made", "removed", "renamed", "folder replaced"])
def test_real_folders_show_it(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_GRAIN", 0.0)
    monkeypatch.setattr(shelf, "_TRUST", float("inf"))
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    (rooms / "a").touch()
    os.utime(rooms, (0, 0))
    it = Shelf(rooms)
    it.look(0.0)
    before = it.edition
    it.look(0.1)
    assert it.edition == before
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
    it.look(0.2)
    assert it.edition != before
