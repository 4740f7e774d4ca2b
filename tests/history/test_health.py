"""Whether histories can be stored: what was tried last counts, and the log is no flood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgechat import system
from edgechat.history.data_folder import DataFolder
from edgechat.history.health import Health
from edgechat.history.history import Histories
from edgechat.settings import Settings
from tests.serving.talking import Broken

LOBBY, HALL = "Messages in room 'lobby' could not be stored", "Messages in room 'hall'"


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(system, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    folder = DataFolder(tmp_path)
    folder.prepare()
    yield folder
    folder.release()


def test_what_was_tried_last_counts(clock: Clock) -> None:
    health = Health()
    assert health.works
    health.failed("public", LOBBY, "No space left on device")
    health.worked("private", HALL)
    assert not health.works
    health.worked("public", HALL)  # another room, but the same folder
    assert health.works
    health.failed("fsync", LOBBY, "Input/output error")
    assert not health.works


def test_the_log_tells_a_change_and_then_counts(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    health = Health()
    for step in range(100_001):
        clock.now = step * 121 / 100_000  # 83,000 in 100 s are what one client can do
        health.failed("public", LOBBY, "No space left on device")
    assert [record.message for record in caplog.records] == [
        f"{LOBBY}: No space left on device",
        f"{LOBBY}, 49587 times more: No space left on device",
        f"{LOBBY}, 49587 times more: No space left on device",
    ]
    caplog.clear()
    for _ in range(2):
        health.worked("public", LOBBY)
    assert [record.message for record in caplog.records] == [
        f"{LOBBY}, 100001 times. Now it works again."
    ]


def test_each_room_is_told_for_itself_but_not_any_number(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    health = Health()
    for room in range(5_000):
        health.failed("public", f"Messages in room {room}", "No space left on device")
    assert len(caplog.records) == 1_001
    assert caplog.records[-1].message.startswith("Other histories could not be stored")


async def test_it_recovers_by_itself_where_nothing_else_is_tried(
    folder: DataFolder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is sent to a server that is not ready: so no message shows that it is again."""
    histories = Histories(folder, Settings(data=folder.path))
    write = Broken(monkeypatch, "write")
    assert await histories.check()
    assert write.calls == 0
    histories.health.failed("public", LOBBY, "No space left on device")
    write.failing = True
    for clock.now, calls in ((0.5, 0), (1.5, 1), (2.0, 1), (3.0, 2)):
        assert not await histories.check()
        assert write.calls == calls
    write.failing = False
    clock.now = 4.1
    assert await histories.check()
    assert histories.works
    assert {path.name for path in folder.path.iterdir()} == {"key", "lock", "rooms"}


async def test_a_folder_that_is_gone_does_not_work(folder: DataFolder, clock: Clock) -> None:
    histories = Histories(folder, Settings(data=folder.path))
    histories.health.failed("public", LOBBY, "No such file or directory")
    moved = folder.path.with_name("moved")
    folder.path.rename(moved)
    clock.now = 10.0
    assert not await histories.check()
    moved.rename(folder.path)
    clock.now = 20.0
    assert await histories.check()
