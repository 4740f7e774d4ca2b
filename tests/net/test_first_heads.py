"""Whoever has not sent a whole head is no task, and has an end all the same."""

from __future__ import annotations

import errno
import gc
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.net.caller import Caller
from edgechat.net.door import Door
from edgechat.net.first_heads import FirstHeads
from edgechat.net.head_reader import HeadReader
from edgechat.net.refused import Refused
from edgechat.net.request_head import Head
from edgechat.rooms import defects
from edgechat.settings import Settings
from tests.serving.running import Running, eventually, parse_answer, serving
from tests.serving.wire import SOON, dial

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
SETTINGS = Settings(head_timeout=10.0, last_call=1.0)


class Waiting:
    """`FirstHeads` over pairs of sockets: `served` is who became a task, `gone` who did not."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.heads = HeadReader(SETTINGS)
        self.served: list[tuple[float, str, str]] = []
        self.gone: list[str] = []
        self.first = FirstHeads(self.heads, nursery, self._serve, self._note_gone)
        self.nursery = nursery
        nursery.start_soon(self.first.run)
        self._sockets: list[socket.socket] = []

    async def _serve(self, caller: Caller, found: Head | Refused) -> None:
        word = found.reason.word if isinstance(found, Refused) else found.target
        self.served.append((trio.current_time(), caller.peer, word))

    def _note_gone(self, caller: Caller) -> None:
        self.gone.append(caller.peer)
        caller.connection.close()

    def open(self, name: str, early: bytes | None = None) -> socket.socket:
        """One more; its other end."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._sockets += ours, theirs
        caller = Caller(ours, name, False, False)
        self.first.take(caller, early, trio.current_time())
        return theirs

    def close(self) -> None:
        self.first.close()
        for connection in self._sockets:
            connection.close()


@pytest.fixture
def waiting(nursery: trio.Nursery) -> Iterator[Waiting]:
    waiting = Waiting(nursery)
    yield waiting
    waiting.close()


async def test_a_whole_head_becomes_a_task(waiting: Waiting) -> None:
    waiting.open("at once", HEAD)
    later = waiting.open("later")
    parts = waiting.open("in parts", HEAD[:7])
    waiting.open("no head", b"\x00" * 40)
    later.send(HEAD)
    for byte in HEAD[7:-1]:
        parts.send(bytes([byte]))
        await wait_all_tasks_blocked()
    assert {name: word for _, name, word in waiting.served} == {
        "at once": "/",
        "later": "/",
        "no head": "not http",
    }
    assert len(waiting.first) == 1
    parts.send(HEAD[-1:])
    await wait_all_tasks_blocked()
    assert [name for _, name, _ in waiting.served][-1] == "in parts"
    assert len(waiting.first) == 0


async def test_what_is_no_whole_head_is_no_task(waiting: Waiting) -> None:
    await wait_all_tasks_blocked()
    tasks = len(waiting.nursery.child_tasks)
    theirs = [waiting.open(str(number), (None, HEAD[:20])[number % 2]) for number in range(100)]
    await wait_all_tasks_blocked()
    assert len(waiting.nursery.child_tasks) == tasks
    assert len(waiting.first) == 100
    for each in theirs:
        each.close()
    await wait_all_tasks_blocked()
    assert len(waiting.first) == 0
    assert sorted(waiting.gone, key=int) == [str(number) for number in range(100)]
    assert waiting.served == []


async def test_who_is_gone_already_is_not_waited_for(waiting: Waiting) -> None:
    waiting.open("gone", b"").close()
    assert waiting.gone == ["gone"]
    assert len(waiting.first) == 0


async def test_each_has_its_own_deadline(waiting: Waiting, autojump_clock: MockClock) -> None:
    began = trio.current_time()
    theirs = []
    for number in range(5):
        theirs.append(waiting.open(str(number)))
        await trio.sleep(1)
    theirs[1].send(HEAD)
    theirs[0].close()
    await trio.sleep(20)
    assert [(round(at - began), name, word) for at, name, word in waiting.served] == [
        (5, "1", "/"),
        (12, "2", "slow head"),
        (13, "3", "slow head"),
        (14, "4", "slow head"),
    ]
    waiting.open("again")  # nobody waited meanwhile
    await trio.sleep(20)
    assert waiting.served[-1][1:] == ("again", "slow head")


async def test_a_stop_is_noticed_by_who_waits_already(
    waiting: Waiting, autojump_clock: MockClock
) -> None:
    waiting.open("before")
    await trio.sleep(1)
    began = trio.current_time()
    waiting.heads.hurry()
    waiting.first.hurry()
    await trio.sleep(20)
    assert [(round(at - began, 3), word) for at, _, word in waiting.served] == [(1.0, "stopping")]


async def test_a_stop_leaves_the_last_call_to_all(
    waiting: Waiting, autojump_clock: MockClock
) -> None:
    waiting.open("long before")
    await trio.sleep(9.5)
    waiting.open("before")
    waiting.heads.hurry()
    waiting.first.hurry()
    began = trio.current_time()
    await trio.sleep(0.5)
    waiting.open("after")
    await trio.sleep(20)
    assert [(round(at - began, 3), name, word) for at, name, word in waiting.served] == [
        (0.5, "long before", "stopping"),
        (1.0, "before", "stopping"),
        (1.5, "after", "stopping"),
    ]
    waiting.open("given up")
    waiting.first.give_up()
    await wait_all_tasks_blocked()
    assert waiting.served[-1][1:] == ("given up", "stopping")


class FullEpoll:
    """Beyond `fs.epoll.max_user_watches`."""

    def register(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")


async def test_the_kernel_watches_no_more(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(waiting.first, "_epoll", FullEpoll())
        waiting.open("one more").close()
    assert waiting.gone == ["one more"]
    assert len(waiting.first) == 0


def _doors() -> list[Door]:
    return [thing for thing in gc.get_objects() if type(thing) is Door]


async def test_a_flood_of_resets_leaves_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await _flood(server)


async def _flood(server: Running) -> None:
    door = next(door for door in _doors() if door._first)
    before = door.statistics().accepted
    tasks = trio.lowlevel.current_statistics().tasks_living
    for number in range(300):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if number % 3 == 1:
                connection.send(HEAD[:10])
            if number % 3 == 2:
                await wait_all_tasks_blocked()  # it was accepted, and is reset then
    await eventually(lambda: door.statistics().accepted == before + 300)
    await eventually(lambda: not door.statistics().connections.open)
    assert door.waiting == 0
    assert trio.lowlevel.current_statistics().tasks_living == tasks


async def test_a_defect_in_a_head_ends_its_connection_only(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    other = waiting.open("other")
    with monkeypatch.context() as patched:
        patched.setattr(waiting.heads, "find", broken)
        before = defects.statistics().get("a connection", 0)
        waiting.open("one", HEAD)
        assert waiting.gone == ["one"]
        assert defects.statistics()["a connection"] == before + 1
        caplog.clear()
    other.send(HEAD)
    await wait_all_tasks_blocked()
    assert [name for _, name, _ in waiting.served] == ["other"]


async def test_who_is_silent_when_the_server_stops_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, last_call=0.2) as server:
        silent = await dial(server.port)
        server.stopping.set()
        with trio.fail_after(SOON):
            assert parse_answer(await silent.rest()).status == 503
