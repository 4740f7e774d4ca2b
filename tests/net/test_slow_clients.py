"""Who does not read, or does not answer, harms only itself."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from edgechat.chat.errors import Close
from edgechat.net.websocket import WebSocket
from edgechat.settings import Settings
from tests.serving.running import Running, serving
from tests.serving.wire import (
    CLOSE,
    PING,
    PONG,
    SOON,
    Wire,
    frame,
    hello,
    join,
    open_wire,
    say,
)

BIG = "x" * 1_900
CONT = 0


async def test_who_does_not_read_is_closed_and_gets_everything_on_resume(tmp_path: Path) -> None:
    limits = {"outbox_bytes": 64 * 1024, "stall_timeout": 8 * SOON, "close_timeout": 0.2}
    async with serving(tmp_path, **limits) as server:
        slow = await open_wire(server.port, receive_buffer=2_048)
        with trio.fail_after(4 * SOON):
            await slow.send(hello("slow", v=2))
            await slow.until("ready")
            alice = await join(server.port, "alice")
            bob = await join(server.port, "bob")
            said = await _talk_until_one_has_left(alice, bob)
            heard, code = await _drain(slow)
            assert code in (4008, None)  # the socket was closed on it if it did not read that
            again = await open_wire(server.port)
            await again.send(hello("slow", v=2, since={"seq": heard, "h": _h(server, heard)}))
            lines = await again.lines(said)
            assert [line["seq"] for line in lines] == list(range(heard + 1, said + 1))
            assert (await again.until("ready"))["recovered"] is True


async def _talk_until_one_has_left(alice: Wire, bob: Wire) -> int:
    """How much had to be said: some MB go into the kernel's buffers, then it is the outbox."""
    for said in range(1, 6_000):
        await alice.say(f"{said} {BIG}")
        while "seq" not in (event := await alice.event()):
            if event == {"quit": "slow"}:
                await alice.until("seq", said)
                return said
        assert await bob.until("seq") == event
    raise AssertionError("nobody was closed")


def _h(server: Running, seq: int) -> str:
    line = json.loads(server.lines()[seq - 1]) if seq else {"h": "0" * 16}
    return str(line["h"])


async def _drain(wire: Wire) -> tuple[int, int | None]:
    """The last line that one who begins to read too late still gets, and the close code."""
    heard = 0
    try:
        while True:
            first, payload = await wire.frame()
            if first == 0x80 | CLOSE:
                return heard, int.from_bytes(payload[:2], "big")
            if payload.startswith(b'{"seq":'):
                seq = json.loads(payload)["seq"]
                assert seq == heard + 1
                heard = seq
    except (EOFError, trio.BrokenResourceError):
        return heard, None


async def test_a_slow_client_that_reads_again_in_time_learns_why(tmp_path: Path) -> None:
    async with serving(tmp_path, outbox_bytes=64 * 1024, stall_timeout=8 * SOON) as server:
        slow = await open_wire(server.port, receive_buffer=2_048)
        with trio.fail_after(4 * SOON):
            await slow.send(hello("slow"))
            await slow.until("ready")
            alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
            await _talk_until_one_has_left(alice, bob)
            slow.widen()
            assert await slow.close_code() == 4008


async def test_an_outbox_that_empties_is_written_past_again(tmp_path: Path) -> None:
    async with serving(tmp_path, outbox_bytes=32 * 1024 * 1024) as server:
        late = await open_wire(server.port, receive_buffer=2_048)
        with trio.fail_after(4 * SOON):
            await late.send(hello("late"))
            await late.until("ready")
            alice = await join(server.port, "alice")
            for _ in range(2):
                before = len(server.lines()) if server.files() else 0
                await alice.send(b"".join(say(f"{n} {BIG}") for n in range(2_000)))
                await alice.lines(before + 2_000)
                lines = await late.lines(before + 2_000)
                assert [line["seq"] for line in lines] == [before + n for n in range(1, 2_001)]
            await alice.say("now at once")
            await late.until("message", "now at once")


@asynccontextmanager
async def tight() -> AsyncIterator[tuple[WebSocket, socket.socket]]:
    """A WebSocket whose kernel buffer takes a few kilobytes at a time, and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        ours.setblocking(False)
        theirs.setblocking(False)
        with trio.fail_after(SOON):
            async with trio.open_nursery() as nursery:
                settings = Settings(outbox_bytes=10_000_000, close_timeout=2.0)
                yield WebSocket(ours, nursery, settings, b""), theirs


async def read(socket: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        await trio.lowlevel.wait_readable(socket)
        data += socket.recv(min(3_000, size - len(data)))
    return data


async def test_an_outbox_of_pieces_larger_than_any_buffer_arrives_in_order() -> None:
    pieces = [bytes([n % 256]) * (n * 7_919 % 50_000) for n in range(200)]
    async with tight() as (websocket, theirs):
        for start in range(0, 200, 20):
            for piece in pieces[start : start + 20]:
                websocket.write(piece)
            data = b"".join(pieces[start : start + 20])
            assert await read(theirs, len(data) // 2) == data[: len(data) // 2]
            websocket.write(b"between")
            rest = data[len(data) // 2 :] + b"between"
            assert await read(theirs, len(rest)) == rest
            await websocket.drained()


async def test_a_close_ends_with_the_piece_that_is_on_its_way() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        for end in (ours, theirs):
            end.setblocking(False)
        first, second = b"1" * 100_000, b"2" * 100_000
        with trio.fail_after(SOON):
            async with trio.open_nursery() as nursery:
                websocket = WebSocket(ours, nursery, Settings(), b"")
                websocket.write(first)
                websocket.write(second)
                await trio.testing.wait_all_tasks_blocked()
                websocket.close(Close.SLOW, "slow")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(websocket.finish)
                data = await read(theirs, len(first) + 8)
                assert data == first + b"\x88\x06\x0f\xa8slow"
                theirs.send(frame(b"\x0f\xa8", CLOSE))
                await trio.lowlevel.wait_readable(theirs)
                assert theirs.recv(1) == b""
                theirs.close()


async def test_a_silent_peer_is_asked_and_then_let_go(tmp_path: Path) -> None:
    async with serving(tmp_path, heartbeat=0.2, heartbeat_timeout=0.2, close_timeout=0.2) as server:
        silent = await join(server.port, "silent")
        alive = await join(server.port, "alive")
        with trio.fail_after(SOON):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_answer_pings, alive)
                first, _ = await silent.frame()
                while first != 0x80 | PING:
                    first, _ = await silent.frame()
                assert await silent.close_code() == 4408
                async with trio.open_nursery() as waiting:
                    waiting.cancel_scope.deadline = trio.current_time() + SOON
                    watcher = await join(server.port, "watcher")
                    await watcher.send(frame('{"message":"is alive here?"}'))
                    await watcher.until("message")
                nursery.cancel_scope.cancel()
        await alive.say("yes")
        with trio.fail_after(SOON):
            await alive.until("message", "yes")


async def _answer_pings(wire: Wire) -> None:
    while True:
        first, payload = await wire.frame()
        if first == 0x80 | PING:
            await wire.send(frame(payload, PONG))


async def test_who_says_no_hello_is_let_go(tmp_path: Path) -> None:
    async with serving(tmp_path, hello_timeout=0.1) as server:
        mute = await open_wire(server.port)
        with trio.fail_after(SOON):
            assert await mute.close_code() == 4408
        assert server.files() == set()
