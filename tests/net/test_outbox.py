"""What waits for one who does not read; `test_slow_clients.py` has the whole of it, in a server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock

from edgechat.chat.errors import Close
from edgechat.net.outbox import NotRead, Outbox
from edgechat.net.websocket import WebSocket
from edgechat.rooms.socket import Disconnected
from edgechat.settings import Settings
from tests.serving.wire import SOON

Pair = tuple[socket.socket, socket.socket]
BIG = b"x" * 400_000


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends; the kernel takes some kilobytes of what goes to the second."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


async def read(socket: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        await trio.lowlevel.wait_readable(socket)
        data += read_all(socket)
    return data


def read_all(socket: socket.socket) -> bytes:
    data = b""
    try:
        while piece := socket.recv(100_000):
            data += piece
    except BlockingIOError:
        pass
    return data


async def test_it_is_too_full_beyond_its_size_and_drained_it_is_as_new(pair: Pair) -> None:
    outbox = Outbox(pair[0], Settings(outbox_bytes=2_000))
    for _ in range(2):
        outbox.put(b"x" * 1_999)
        outbox.put(b"y")
        assert not outbox.too_full
        await outbox.drain()
        assert read_all(pair[1]) == b"x" * 1_999 + b"y"
    outbox.put(b"x" * 2_001)
    assert outbox.too_full


async def test_what_was_cut_off_takes_no_place(pair: Pair) -> None:
    outbox = Outbox(pair[0], Settings(outbox_bytes=2_000))
    for piece in (b"first", b"x" * 2_000, b"y"):
        outbox.put(piece)
    assert outbox.too_full
    outbox.cut()
    outbox.put(b"last")
    assert not outbox.too_full
    await outbox.drain()
    assert read_all(pair[1]) == b"firstlast"


async def test_one_who_takes_a_little_now_and_then_is_waited_for(
    pair: Pair, autojump_clock: MockClock
) -> None:
    outbox = Outbox(pair[0], Settings(stall_timeout=30.0))
    outbox.put(BIG)
    got = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outbox.drain)
        while got < len(BIG):
            await trio.sleep(29)
            got += len(read_all(pair[1]))
    assert trio.current_time() > 100


# 4 KB each 10 s is something, but 400 KB would take a thousand seconds.
async def test_one_who_takes_it_by_the_byte_is_not_waited_for(
    pair: Pair, autojump_clock: MockClock
) -> None:
    outbox = Outbox(pair[0], Settings(stall_timeout=250.0, outbox_timeout=300.0))
    outbox.put(BIG)

    async def trickle() -> None:
        while True:
            await trio.sleep(10)
            with suppress(BlockingIOError):
                pair[1].recv(4_000)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trickle)
        with pytest.raises(NotRead):
            await outbox.drain()
        nursery.cancel_scope.cancel()
    assert 299 <= trio.current_time() <= 301


async def test_one_who_takes_nothing_is_not(pair: Pair, autojump_clock: MockClock) -> None:
    outbox = Outbox(pair[0], Settings(stall_timeout=30.0))
    outbox.put(BIG)
    start = trio.current_time()
    with pytest.raises(NotRead):
        await outbox.drain()
    assert 30 <= trio.current_time() - start < 31


async def test_the_writer_of_one_who_takes_nothing_closes_it(
    pair: Pair, autojump_clock: MockClock
) -> None:
    """And nobody who waits for it to be drained waits for ever."""
    settings = Settings(stall_timeout=30.0, close_timeout=5.0)
    waited: list[str] = []

    async def wait(websocket: WebSocket) -> None:
        with trio.CancelScope(shield=True, deadline=60):
            with pytest.raises(Disconnected):
                await websocket.drained()
            waited.append("over")

    async with trio.open_nursery() as nursery:
        websocket = WebSocket(pair[0], nursery, settings, b"")
        websocket.write(BIG)
        nursery.start_soon(wait, websocket)
        await trio.sleep_forever()
    assert waited == ["over"]
    assert 30 <= trio.current_time() < 31
    with trio.fail_after(4):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(websocket.finish)
            data = await read(pair[1], len(BIG) + 4)
            nursery.cancel_scope.cancel()
    assert data.startswith(BIG)
    assert data[len(BIG) + 2 :][:2] == Close.SLOW.to_bytes(2, "big")


async def test_nobody_waits_for_an_outbox_that_was_too_full_at_once(pair: Pair) -> None:
    async with trio.open_nursery() as nursery:
        websocket = WebSocket(pair[0], nursery, Settings(outbox_bytes=1_000), b"")
        websocket.write(BIG)
        with trio.fail_after(SOON, shield=True), pytest.raises(Disconnected):
            await websocket.drained()


async def test_a_good_bye_to_one_who_takes_nothing_ends(
    pair: Pair, autojump_clock: MockClock
) -> None:
    settings = Settings(stall_timeout=1.0, close_timeout=5.0)
    async with trio.open_nursery() as nursery:
        websocket = WebSocket(pair[0], nursery, settings, b"")
        websocket.write(BIG)
        websocket.close(Close.RESTART)
    await websocket.finish()
    assert trio.current_time() < 6


async def test_nothing_is_written_behind_a_close(pair: Pair) -> None:
    """Not even when it closes in the moment in which the last of what waits is taken."""
    ours, theirs = pair

    class Closing:
        fileno = ours.fileno

        def send(self, data: bytes) -> int:
            sent = ours.send(data)
            if sent == len(data):
                websocket.close(Close.RESTART)
            return sent

    async with trio.open_nursery() as nursery:
        websocket = WebSocket(ours, nursery, Settings(), b"")
        websocket.sender._socket = Closing()  # type: ignore[assignment]
        websocket.write(BIG)
        with trio.fail_after(SOON, shield=True):
            got = await read(theirs, len(BIG))
    websocket.write(b"too late")
    assert got + read_all(theirs) == BIG
