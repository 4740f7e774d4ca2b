"""A front and its workers on bad days. The front is in this process, the workers are real ones."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.chat.names import RoomKey
from edgechat.net import client_address
from edgechat.net.connection_limits import ConnectionLimitsStatistics
from edgechat.settings import Settings
from edgechat.workers import front, process, program, supervisor
from edgechat.workers.error import WorkerError
from edgechat.workers.front import Front
from edgechat.workers.messages import FORMAT
from edgechat.workers.placement import place_of
from edgechat.workers.process import WorkerProcess
from tests.serving.files import check
from tests.serving.running import QUICK, Bystander, Running, asked, eventually, open_files, serving
from tests.serving.talking import said
from tests.serving.test_metrics import Port
from tests.serving.wire import BEGUN, SOON, Wire, dial, hello, join, open_wire, say, upgrade
from tests.workers.processes import children

PLAIN = b"GET /api/room/%b HTTP/1.1\r\nHost: localhost\r\n\r\n"


def room_at(worker: int, workers: int = 2, number: int = 0) -> str:
    """The name of a room that this worker has."""
    names = (f"room{n}" for n in range(1_000))
    there = [n for n in names if place_of(RoomKey(n, private=False), workers) == worker]
    return there[number]


def the_front() -> Front:
    """That of the server with two workers: one with three runs for other tests."""
    gc.collect()  # those of servers that are over
    fronts = [thing for thing in gc.get_objects() if type(thing) is Front]
    return next(each for each in fronts if each._settings.workers == 2)


def workers() -> list[WorkerProcess]:
    """Who has the rooms now; raises where a worker is away."""
    found = [slot.worker for slot in the_front()._supervisor.slots]
    assert None not in found
    return [worker for worker in found if worker is not None]


def counted() -> ConnectionLimitsStatistics:
    return the_front()._door.limits.statistics()


@asynccontextmanager
async def two(data: Path, **changes: Any) -> AsyncIterator[Running]:
    async with serving(data, workers=2, **changes) as server:
        yield server


async def both(server: Running, room: str) -> Bystander:
    talk = Bystander(await join(server.port, "alice", room), await join(server.port, "bob", room))
    await talk.goes_on()
    return talk


async def ended(wire: Wire) -> None:
    with trio.fail_after(SOON):
        await wire.rest()


async def test_a_worker_that_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its members are cut off and come back; those of the other one notice nothing."""
    lost, kept = room_at(0), room_at(1)
    async with two(tmp_path / "data") as server:
        others = await both(server, kept)
        carol = await join(server.port, "carol", lost)
        stored = await said(carol, "before")
        first = workers()
        os.kill(first[0].pid, signal.SIGKILL)
        await ended(carol)
        await eventually(lambda: the_front()._supervisor.slots[0].worker is not first[0], BEGUN)
        await others.goes_on()
        with trio.fail_after(BEGUN):
            again = await open_wire(server.port, lost)  # it waits at the front
            await again.send(hello("carol", v=2, since={"seq": stored["seq"], "h": stored["h"]}))
            await again.until("ready")
        assert (await said(again, "after"))["seq"] == stored["seq"] + 1
        await others.goes_on()
        assert [one.pid for one in workers()][1] == first[1].pid
        assert (counted().open, sum(len(worker.held) for worker in workers())) == (3, 3)
        assert len(check(server.stored(lost))) == 2
    assert "Worker 0 (process" in caplog.text
    assert "it was ended by signal 9" in caplog.text


async def test_what_a_killed_worker_had_not_read_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The next one gets it, as it came: nothing of it was served, so nothing is done twice."""
    room = room_at(0)
    path = f"/api/room/{room}".encode()
    post = (
        b"POST %b/messages?name=ci HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n" % path
    )
    requests = {
        b"201 Created": post + b"foo",  # the rest comes when the worker is gone
        b"200 ": PLAIN % room.encode(),
        b"404 ": b"GET %b/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" % path,
        b"101 ": upgrade(room) + hello("alice"),
    }
    async with two(tmp_path / "data") as server:
        first, other = workers()
        os.kill(first.pid, signal.SIGSTOP)
        wires = []
        for request in requests.values():
            wires.append(await dial(server.port))
            await wires[-1].send(request)
            await eventually(lambda: len(first.held) == len(wires))
        gone = await dial(server.port)
        await gone.send(PLAIN % room.encode())
        await eventually(lambda: len(first.held) == len(wires) + 1)
        gone.close()
        os.kill(first.pid, signal.SIGKILL)
        await wires[0].send(b"bar")
        with trio.fail_after(2 * SOON):
            for wire, status in zip(wires, requests, strict=True):
                assert (await wire.head()).startswith(b"HTTP/1.1 " + status)
            await wires[-1].until("ready")
        assert [line["message"] for line in check(server.file(room))] == ["foobar"]
        assert workers()[1] is other
        await eventually(lambda: counted().open == 1)
        assert [len(worker.held) for worker in workers()] == [1, 0]
    assert "which gets 5 requests that this one had not read" in caplog.text


async def test_what_a_hung_worker_had_not_read_when_the_server_stops(tmp_path: Path) -> None:
    """There is no next one."""
    stop = trio.Event()
    settings = Settings(data=tmp_path / "data", workers=2, **QUICK | {"stop_timeout": 0.1})
    async with trio.open_nursery() as nursery:
        url = await nursery.start(front.serve, settings, stop)
        first, _ = workers()
        os.kill(first.pid, signal.SIGSTOP)
        wire = await dial(int(url.rstrip("/").rpartition(":")[2]))
        await wire.send(PLAIN % room_at(0).encode())
        await eventually(lambda: len(first.held) == 1)
        stop.set()
        with trio.fail_after(SOON):
            head = await wire.head()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in head
    wire.close()


async def test_a_worker_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests for its rooms fill the channel, and the next are refused; others go on.

    If it goes on, those that waited are answered; if it does not, it is ended.
    """
    monkeypatch.setattr(process, "_FULL", 0.1)
    hung, kept = room_at(0), room_at(1)
    # a busy machine takes longer for this than the silence after which others get a ping
    async with two(tmp_path / "data", linger_timeout=0.1, heartbeat=300.0) as server:
        others = await both(server, kept)
        worker, other = workers()
        os.kill(worker.pid, signal.SIGSTOP)
        crowd: list[Wire] = []
        with trio.fail_after(BEGUN):
            while not the_front()._door.statistics().refused.get("worker busy", 0):
                for _ in range(50):
                    wire = await dial(server.port)
                    await wire.send(PLAIN % hung.encode())
                    crowd.append(wire)
        await others.goes_on()
        os.kill(worker.pid, signal.SIGCONT)
        with trio.fail_after(BEGUN):
            statuses = [int((await wire.head())[9:12]) for wire in crowd]
        assert set(statuses) == {200, 503}
        assert statuses.count(200) > 50
        for wire in crowd:
            wire.close()
        monkeypatch.setattr(process, "_SILENCE", 5.0)  # the other one has a word each second
        before = worker.figures
        await eventually(lambda: worker.figures is not before)
        os.kill(worker.pid, signal.SIGSTOP)
        with trio.fail_after(BEGUN):
            await worker.ended.wait()
        assert await asked(server.port, PLAIN % hung.encode()) == 200
        await others.goes_on()
        assert workers()[1] is other
        await eventually(lambda: counted().open == 2)
    assert worker.why.startswith("it said nothing for ")


async def test_connections_of_one_address_are_counted_over_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After opens and closes, and after a worker's death, there may be exactly so many."""
    count = 64
    monkeypatch.setattr(client_address, "is_loopback", lambda peer: peer == "127.0.0.1")
    limits = {"max_connections_per_address": count, "max_opened_per_minute": 0}
    rooms = [room_at(n % 2, number=n // 2) for n in range(8)]

    async def open_all() -> tuple[list[Wire], int]:
        """As many as are let in, and with which status the next one is refused."""
        wires: list[Wire] = []
        while True:
            wire = await dial(server.port, source="127.0.0.2")
            with trio.fail_after(SOON):
                await wire.send(upgrade(rooms[len(wires) % len(rooms)]))
                status = int((await wire.head())[9:12])
            if status != 101:
                return wires, status
            wires.append(wire)

    async with two(tmp_path / "data", hosts=("0.0.0.0",), **limits) as server:
        for round in range(3):
            wires, status = await open_all()
            assert (len(wires), status) == (count, 429)
            assert counted().open == count
            if round == 1:
                os.kill(workers()[0].pid, signal.SIGKILL)
            for wire in wires:
                wire.close()
            await eventually(lambda: counted().open == 0)
        assert counted().addresses == 0


async def test_the_page_s_files_are_counted_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many files a minute, and so many other requests beside them; and all that left is gone."""
    monkeypatch.setattr(client_address, "is_loopback", lambda peer: peer == "127.0.0.1")
    limits = {"max_files_per_minute": 5, "max_opened_per_minute": 3}
    file = b"GET /sw.js HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def ask(request: bytes) -> int:
        wire = await dial(server.port, source="127.0.0.2")
        with trio.fail_after(SOON):
            await wire.send(request)
            status = int((await wire.head())[9:12])
        wire.close()
        return status

    async with two(tmp_path / "data", hosts=("0.0.0.0",), **limits) as server:
        assert [await ask(file) for _ in range(5)] == [200] * 5
        assert [await ask(PLAIN % room_at(n % 2).encode()) for n in range(2)] == [200] * 2
        assert await ask(file) == 200  # one too many: it counts like the others
        assert [await ask(file), await ask(PLAIN % b"lobby")] == [429, 429]
        await eventually(lambda: counted().open == 0)
        assert (counted().addresses, sum(len(worker.held) for worker in workers())) == (0, 0)


async def test_a_worker_without_descriptors(tmp_path: Path) -> None:
    """It has a reserve for connections, as one process has."""
    async with two(tmp_path / "data") as server:
        talk = await both(server, room_at(0))
        pid = workers()[0].pid
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(pid) + 2, hard))
        for number in range(20):
            await join(server.port, f"member {number}", room_at(0))
        await talk.goes_on()


async def test_one_allowance_over_all(tmp_path: Path) -> None:
    """Each worker lets a burst through; then both know what was spent in both."""
    async with two(tmp_path / "data", message_interval=100.0, message_grace=200.0) as server:
        one = await join(server.port, "alice", room_at(0))
        other = await join(server.port, "alice", room_at(1))
        for wire in (one, other):
            for n in range(3):
                assert "seq" in await said(wire, f"m{n}")
        for wire in (one, other):
            with trio.fail_after(SOON):
                while (await said(wire, "more"))["retry_after_ms"] < 350_000:
                    pass


async def test_the_metrics_are_those_of_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Added up over the workers; what only rises does not fall when one of them ends."""
    caplog.set_level(logging.INFO)
    port = Port(caplog)
    async with two(tmp_path / "data", metrics_address="127.0.0.1:0") as server:
        wires = [await join(server.port, "alice", room_at(worker)) for worker in (0, 1)]
        for wire in wires:
            for n in range(3):
                await said(wire, f"m{n}")

        async def reached(name: str, number: float) -> dict[str, float]:
            with trio.fail_after(BEGUN):
                while (found := await port.numbers())[name] != number:
                    pass
            return found

        found = await reached("edgechat_messages_total", 6)
        assert found["edgechat_members"] == found["edgechat_websockets"] == 2
        assert found["edgechat_workers"] == found["edgechat_workers_wanted"] == 2
        assert found['edgechat_worker_connections{worker="0"}'] == 1
        assert found['edgechat_worker_resident_memory_bytes{worker="1"}'] > 10e6
        assert found["edgechat_connections"] == 2
        assert found["edgechat_connections_accepted_total"] == 2
        assert found["edgechat_storage_works"] == 1
        assert found['edgechat_event_loop_lag_seconds_bucket{le="+Inf"}'] >= 0
        os.kill(workers()[0].pid, signal.SIGKILL)
        found = await reached("edgechat_worker_restarts_total", 1)
        assert found["edgechat_messages_total"] == 6
        again = await join(server.port, "alice", room_at(0))
        await said(again, "one more")
        found = await reached("edgechat_messages_total", 7)
        assert found["edgechat_rooms_started_total"] == 3
        assert found["edgechat_members"] == 2


async def test_fresh_workers_while_people_talk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SIGHUP does: nobody is refused, nothing is lost, and other limits hold."""
    stop = trio.Event()
    tell, changes = trio.open_memory_channel[Settings](1)
    settings = Settings(data=tmp_path / "data", workers=2, **QUICK)
    rooms = [room_at(n % 2, number=n // 2) for n in range(4)]
    sent = dict.fromkeys(rooms, 0)
    refused: list[bytes] = []

    async def talk(room: str) -> None:
        """Come back whenever the server says so; say each message until it is stored."""
        while not over.is_set():
            wire = await dial(port)
            await wire.send(upgrade(room) + hello("alice"))
            head = await wire.head()
            if not head.startswith(b"HTTP/1.1 101"):
                refused.append(head)
            try:
                while not over.is_set():
                    await wire.send(say("m", id=f"{room}-{sent[room]}"))
                    await wire.until("id", f"{room}-{sent[room]}")
                    sent[room] += 1
            except (EOFError, trio.BrokenResourceError, AssertionError):
                wire.close()

    async def until(condition: Callable[[], bool]) -> None:
        """Ask all rooms again and again meanwhile."""
        with trio.fail_after(BEGUN):
            while not condition():
                for room in rooms:
                    if (status := await asked(port, PLAIN % room.encode())) != 200:
                        refused.append(b"%d" % status)

    async with trio.open_nursery() as nursery:
        url = await nursery.start(front.serve, settings, stop, changes)
        port, over = int(url.rstrip("/").rpartition(":")[2]), trio.Event()
        before = [worker.pid for worker in workers()]
        async with trio.open_nursery() as talking:
            for room in rooms:
                talking.start_soon(talk, room)
            await until(lambda: min(sent.values()) > 5)
            await tell.send(settings)
            await until(lambda: not children().intersection(before))
            reached = dict(sent)
            await until(lambda: all(sent[room] > reached[room] + 5 for room in rooms))
            over.set()
        assert not set(before).intersection(worker.pid for worker in workers())
        stop.set()
    assert refused == []
    for room in rooms:
        ids = [line["id"] for line in check(Running(port, tmp_path / "data").file(room))]
        assert len(ids) == len(set(ids))
        assert ids[: sent[room]] == [f"{room}-{n}" for n in range(sent[room])]


async def test_a_worker_that_can_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(program, "_CODE", "raise SystemExit(3)")
    monkeypatch.setattr(supervisor, "_FIRST_PAUSE", 0.01)
    settings = Settings(data=tmp_path / "data", workers=2, **QUICK)
    with pytest.raises(ExceptionGroup) as raised:
        async with trio.open_nursery() as nursery:
            await nursery.start(front.serve, settings, trio.Event())
    error = raised.value.exceptions[0]
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, WorkerError)
    assert "can't start: it ended with status 3." in str(error)
    assert caplog.text.count("can't start: it ended with status 3.") >= 5


async def test_fresh_workers_that_can_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """New code with a defect, or of another format: those that run go on."""
    stop = trio.Event()
    tell, changes = trio.open_memory_channel[Settings](1)
    settings = Settings(data=tmp_path / "data", workers=2, **QUICK)
    async with trio.open_nursery() as nursery:
        url = await nursery.start(front.serve, settings, stop, changes)
        server = Running(int(url.rstrip("/").rpartition(":")[2]), tmp_path / "data")
        before = workers()
        talk = await both(server, room_at(0))
        with monkeypatch.context() as patched:
            patched.setattr(front, "FORMAT", 99)
            await tell.send(settings)
            await eventually(lambda: "Worker 0 stays as it is" in caplog.text, BEGUN)
        assert f"its code is of format {FORMAT}, the front's of 99: restart all" in caplog.text
        await talk.goes_on()
        assert workers() == before
        Wire.close_all()
        stop.set()


async def test_a_stop_in_the_middle_of_a_start(tmp_path: Path) -> None:
    stop = trio.Event()
    settings = Settings(data=tmp_path / "data", workers=2, **QUICK)
    before = children()
    with trio.fail_after(BEGUN):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(front.serve, settings, stop)
            await eventually(lambda: len(children() - before) == 2)
            stop.set()
    assert children() <= before
