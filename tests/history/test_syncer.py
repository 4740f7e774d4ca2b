from __future__ import annotations

import errno
import threading

import pytest
import trio

from edgechat.history.syncer import Syncer, SyncerStatistics
from tests.serving.wire import SOON


class File:
    """What the syncer does to it is written down."""

    def __init__(self) -> None:
        self.suspect = False
        self.calls: list[str] = []
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.failing = False

    def sync(self) -> None:
        self.started.set()
        self.go_on.wait(SOON)
        self.calls.append("synced")
        if self.failing:
            raise OSError(errno.EIO, "Input/output error")

    def release(self) -> None:
        self.calls.append("released")

    def __str__(self) -> str:
        return "the file"


async def test_it_is_synced_once_for_many_writes_and_closed_last() -> None:
    syncer, file = Syncer(0.0), File()
    for _ in range(3):
        syncer.add(file)
    syncer.retire(file)
    await syncer.flush()
    await syncer.flush()
    assert file.calls == ["synced", "released"]


async def test_it_is_not_closed_while_it_is_synced() -> None:
    syncer, file = Syncer(0.0), File()
    file.go_on.clear()
    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(syncer.run)
            syncer.add(file)
            await trio.to_thread.run_sync(file.started.wait)
            syncer.retire(file)  # as an orderly stop does, and then flushes
            nursery.start_soon(syncer.flush)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert file.calls == []
            file.go_on.set()
            await syncer.flush()
            assert file.calls == ["synced", "released"]
            nursery.cancel_scope.cancel()


async def test_what_fails_is_said_and_suspect_and_the_others_are_synced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    syncer, bad, good = Syncer(0.0), File(), File()
    bad.failing = True
    for file in (bad, good):
        syncer.add(file)
    await syncer.flush()
    assert (bad.suspect, good.suspect) == (True, False)
    assert good.calls == ["synced"]
    assert "the file could not be synced: Input/output error" in caplog.text


async def test_its_statistics() -> None:
    syncer, bad, good = Syncer(0.0), File(), File()
    assert syncer.statistics() == SyncerStatistics(0, 0, 0, 0.0, 0)
    bad.failing = True
    for file in (bad, good, good):
        syncer.add(file)
    assert syncer.statistics().pending == 2
    await syncer.flush()
    found = syncer.statistics()
    assert (found.syncs, found.files_synced, found.failures, found.pending) == (1, 1, 1, 0)
    assert 0 < found.last_seconds < SOON
    syncer.retire(good)
    await syncer.flush()  # nothing was to be synced
    assert syncer.statistics() == found


async def test_it_sleeps_while_there_is_nothing_to_do() -> None:
    syncer, file = Syncer(0.0), File()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(syncer.run)
        for _ in range(3):
            before = len(file.calls)
            syncer.add(file)
            with trio.fail_after(SOON):
                while len(file.calls) == before:
                    await trio.testing.wait_all_tasks_blocked(0.01)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert len(file.calls) == before + 1
        nursery.cancel_scope.cancel()
