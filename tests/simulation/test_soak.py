"""Days of a chat in seconds: what comes and goes leaves nothing behind."""

from __future__ import annotations

import gc
import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

import trio
from trio.testing import MockClock

from edgechat.net.address_table import AddressTable
from edgechat.settings import Settings

from . import frames
from .disk import Disk
from .host import Host
from .network import Link
from .stream import ClientStream
from .system import System
from .truth import Truth

DAYS = 2
VISITS = 12  # in an hour
HOUR, DAY = 3_600.0, 86_400.0
ROOMS = 150
SETTINGS = Settings(data=Path("/data"), max_rooms=100)


class Left(NamedTuple):
    """What is there at the end of a day, when nobody has been in for an hour."""

    tasks: int
    files: int
    objects: Counter[str]  # of the server's own classes


class Visits:
    """Strangers who come, say something, do something odd, and leave in one of many ways."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._random = Random("soak")
        self._count = 0
        self.refused = 0
        self.heard = 0

    async def go_on(self, hours: int) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(hours * VISITS):
                self._count += 1
                nursery.start_soon(self._visit, self._count)
                await trio.sleep(self._random.expovariate(VISITS / HOUR))

    async def _visit(self, number: int) -> None:
        random = Random(f"soak/{number}")
        peer = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        link = Link(number, "visitor", peer, "soak", lambda _: None)
        self._host.connect(link)
        stream = ClientStream(link, lambda _: None, self._hear)
        room = f"room-{random.randrange(ROOMS)}"
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async with stream, trio.open_nursery() as nursery:
                nursery.start_soon(self._read, stream)
                stream.send_nowait(frames.handshake(room))
                await trio.sleep(2)
                for text in self._words(random, number):
                    stream.send_nowait(frames.text(text))
                    await trio.sleep(random.expovariate(1.0))
                way = random.choice(("close", "cut", "swallow", "stall", "wait"))
                if way == "cut":
                    link.cut(5.0)
                elif way == "swallow":
                    link.swallow()
                elif way == "stall":
                    link.stall(True)
                elif way == "wait":
                    await trio.sleep(random.uniform(1, 90))  # and no pong: 4408 after 30 s
                nursery.cancel_scope.cancel()

    @staticmethod
    def _words(random: Random, number: int) -> list[str]:
        since = {"seq": random.randrange(9), "h": "0123456789abcdef"}
        hello = {"name": f"v{number}", "v": 2, "since": since}
        said = [json.dumps({"message": "hi", "id": f"{number}.{n % 3}"}) for n in range(4)]
        odd = ['{"typing":true}', '{"ping":1}', "{}", '{"message":"\\u0001"}', "[" * 500]
        return [json.dumps(hello), *random.sample([*said, *odd], random.randrange(8))]

    def _hear(self, data: bytes) -> None:
        self.heard += len(data)

    @staticmethod
    async def _read(stream: ClientStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while await stream.receive_some():
                pass


def look(system: System) -> Left:
    gc.collect()
    objects: Counter[str] = Counter()
    for found in gc.get_objects():
        kind = type(found)
        if isinstance(found, AddressTable):
            objects["remembered addresses"] += len(found)
        if (kind.__module__ or "").startswith("edgechat."):
            objects[kind.__name__] += 1
    return Left(trio.lowlevel.current_statistics().tasks_living, len(system.fds), objects)


def test_days_leave_nothing_behind() -> None:
    failures: list[str] = []
    disk = Disk(Random("soak/disk"), forgets=False)
    system = System(disk, lambda _: None)
    host = Host(SETTINGS, system, Truth(disk, SETTINGS, failures.append), Random("soak/host"))

    async def live() -> list[Left]:
        found: list[Left] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.run)
            await trio.sleep(1)
            visits = Visits(host)
            for _ in range(DAYS):
                await visits.go_on(23)
                await trio.sleep(HOUR)
                found.append(look(system))
            assert visits.heard > 50_000
            nursery.cancel_scope.cancel()
        assert trio.current_time() >= (DAYS - 0.5) * DAY
        return found

    first, *others = trio.run(live, clock=MockClock(autojump_threshold=0))
    assert not failures
    for later in others:
        assert (later.tasks, later.files) == (first.tasks, first.files)
        assert later.files == 0
        assert later.objects - first.objects <= Counter({"remembered addresses": 20, "Bucket": 20})
