"""One server with three workers for many tests: to start a worker takes half a second of CPU."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.settings import Settings
from edgechat.workers.front import serve
from tests.serving.fixtures import bystanders, held_clock, no_defect
from tests.serving.running import QUICK, Running, eventually
from tests.serving.wire import SOON, Wire
from tests.workers.processes import children

__all__ = ["bystanders", "held_clock", "no_defect"]

WORKERS = 3


class Thread(threading.Thread):
    """A server in a thread of its own: tests that are run by Trio come and go meanwhile."""

    def __init__(self, data: Path) -> None:
        super().__init__(name="a server")
        self.data = data
        self.port = 0
        self._is_up = threading.Event()
        self._over: trio.Event
        self._token: trio.lowlevel.TrioToken

    def run(self) -> None:
        trio.run(self._serve)

    async def _serve(self) -> None:
        self._over, self._token = trio.Event(), trio.lowlevel.current_trio_token()
        more: dict[str, Any] = {**QUICK, "data": self.data, "workers": WORKERS}
        more |= {"room_idle": 0.0, "history_rate": 0.0}  # all tests count for one address
        more["linger_timeout"] = SOON  # by the machine's clock, which no test holds here
        async with trio.open_nursery() as nursery:
            url = await nursery.start(partial(serve, Settings(**more), self._over))
            self.port = int(url.rstrip("/").rpartition(":")[2])
            self._is_up.set()

    def begin(self) -> None:
        self.start()
        assert self._is_up.wait(60)

    def end(self) -> None:
        self._token.run_sync_soon(self._over.set)
        self.join(20)
        assert not self.is_alive()

    @property
    def pids(self) -> set[int]:
        """The workers': they hold the folder's lock. One may have been replaced meanwhile."""
        lock = str(self.data / "lock")
        return {pid for pid in children() if lock in open_paths(pid)}

    def open_histories(self) -> set[str]:
        """Those that any worker has open: a room that has ended has none."""
        found = set[str]().union(*map(open_paths, self.pids))
        return {path for path in found if ".jsonl" in path}


def open_paths(pid: int) -> set[str]:
    """What a process has open; nothing of one that has ended."""
    found = set()
    with suppress(FileNotFoundError):
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                found.add(os.readlink(fd))
    return found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with much else to do starts a worker in more than the time that a request waits."""
    for module in ("slot", "front"):
        monkeypatch.setattr(f"edgechat.workers.{module}.PATIENCE", 60.0)


@pytest.fixture(scope="package")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thread]:
    thread = Thread(tmp_path_factory.mktemp("workers") / "data")
    thread.begin()
    yield thread
    thread.end()


@pytest.fixture
async def server(three: Thread) -> AsyncIterator[Running]:
    """It has no rooms: those of the test before have ended, and their files are removed."""
    yield Running(three.port, three.data)
    Wire.close_all()
    await eventually(lambda: not three.open_histories())
    for file in (three.data / "rooms").glob("*/*"):
        file.unlink()
