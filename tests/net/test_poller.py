"""One task reads for all: on real sockets, with an owner that waits for each or does not."""

from __future__ import annotations

import gc
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from edgechat.net.budget import Budget
from edgechat.net.frames import FrameReader
from edgechat.net.poller import Poller
from edgechat.net.receiver import Receiver
from edgechat.net.sender import Sender
from edgechat.net.websocket import WebSocket
from edgechat.rooms.socket import Disconnected, Handler
from edgechat.settings import Settings
from tests.serving.wire import PING, PONG, SOON, frame


class Owner:
    """One who waits for messages: what was done for it meanwhile, and what woke it."""

    def __init__(self, leave: int = 0) -> None:
        """`leave`: how many of each batch are left to it."""
        self.obeyed: list[str | None] = []
        self.left: list[str | None] = []
        self.heard: list[str | None] = []  # all of it, in its order
        self.ended: BaseException | None = None
        self._leave = leave

    def handler(self, texts: Sequence[str | None]) -> Sequence[str | None]:
        done = len(texts) - self._leave
        self.obeyed += texts[:done]
        self.heard += texts[:done]
        return texts[done:]

    async def live(self, websocket: WebSocket, handler: Handler | None = None) -> None:
        try:
            while True:
                left = await websocket.receive(handler or self.handler)
                self.left += left
                self.heard += left
        except (Disconnected, ZeroDivisionError) as end:
            self.ended = end


class Polled:
    """A poller, and connections that it watches."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.turns = 0
        self.poller = Poller(self._finish_turn)
        self._nursery = nursery

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[WebSocket, socket.socket]]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            theirs = socket.create_connection(listening.getsockname())
            ours, _ = listening.accept()
        with ours, theirs:
            ours.setblocking(False)
            websocket = WebSocket(ours, self._nursery, Settings(), b"")
            with self.poller.watch(websocket):
                yield websocket, theirs

    def _finish_turn(self) -> None:
        self.turns += 1


@pytest.fixture
async def polled() -> AsyncIterator[Polled]:
    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            polled = Polled(nursery)
            nursery.start_soon(polled.poller.run)
            yield polled
            nursery.cancel_scope.cancel()
    polled.poller.close()


async def until_still() -> None:
    """Until what was sent has arrived, and everybody has done what there was to do."""
    await wait_all_tasks_blocked(0.02)


async def test_an_owner_that_leaves_nothing_is_not_woken(
    polled: Polled, nursery: trio.Nursery
) -> None:
    async with polled.connection() as (websocket, theirs):
        owner = Owner()
        nursery.start_soon(owner.live, websocket)
        await until_still()
        for number in range(3):
            theirs.send(frame(f"m{number}"))
            await until_still()
        assert (owner.obeyed, owner.left) == (["m0", "m1", "m2"], [])
        assert polled.turns >= 3


async def test_what_an_owner_leaves_wakes_it(polled: Polled, nursery: trio.Nursery) -> None:
    async with polled.connection() as (websocket, theirs):
        owner = Owner(leave=1)
        nursery.start_soon(owner.live, websocket)
        await until_still()
        theirs.send(frame("a") + frame("b"))
        await until_still()
        assert (owner.obeyed, owner.left) == (["a"], ["b"])


async def test_nothing_is_lost_that_comes_while_nobody_waits(polled: Polled) -> None:
    async with polled.connection() as (websocket, theirs):
        theirs.send(frame("a"))
        await until_still()  # the event is over, and will not come again
        assert await websocket.receive() == ["a"]
        theirs.send(frame("b"))
        assert await websocket.receive() == ["b"]


@pytest.mark.parametrize("waits", [True, False])
async def test_an_end_right_behind_a_message_is_seen(
    polled: Polled, nursery: trio.Nursery, waits: bool
) -> None:
    """Both came with one event: nobody says a second time that there is an end to be read."""
    async with polled.connection() as (websocket, theirs):
        owner = Owner()
        if waits:
            nursery.start_soon(owner.live, websocket)
            await until_still()
        theirs.send(frame("last words"))
        theirs.shutdown(socket.SHUT_WR)
        await until_still()
        if not waits:
            nursery.start_soon(owner.live, websocket)
            await until_still()
        assert owner.heard == ["last words"]
        assert isinstance(owner.ended, Disconnected)


async def test_a_reset_is_seen(polled: Polled, nursery: trio.Nursery) -> None:
    async with polled.connection() as (websocket, theirs):
        owner = Owner()
        nursery.start_soon(owner.live, websocket)
        await until_still()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        await until_still()
        assert isinstance(owner.ended, Disconnected)


@pytest.mark.parametrize("leave", [0, 1])
async def test_more_than_one_read_holds_comes_whole_and_in_order(
    polled: Polled, nursery: trio.Nursery, leave: int
) -> None:
    async with polled.connection() as (websocket, theirs):
        owner = Owner(leave)
        nursery.start_soon(owner.live, websocket)
        await until_still()
        texts = [f"{number}".ljust(1 + number % 200, ".") for number in range(2_000)]
        theirs.setblocking(False)
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
        await stream.send_all(b"".join(frame(text) for text in texts))
        await until_still()
        assert owner.heard == texts
        assert owner.ended is None


async def test_a_read_that_is_exactly_full_is_not_the_last(
    polled: Polled, nursery: trio.Nursery
) -> None:
    async with polled.connection() as (websocket, theirs):
        owner = Owner()
        nursery.start_soon(owner.live, websocket)
        await until_still()
        full = frame("x" * (16 * 1024 - 8))
        assert len(full) == 16 * 1024
        theirs.send(full)
        theirs.send(frame("and more"))
        await until_still()
        assert [text and text[:8] for text in owner.heard] == ["x" * 8, "and more"]


async def test_what_goes_wrong_is_the_owners(polled: Polled, nursery: trio.Nursery) -> None:
    async with polled.connection() as (odd, to_odd), polled.connection() as (other, to_other):
        owner, bystander = Owner(), Owner()

        def explode(texts: Sequence[str | None]) -> Sequence[str | None]:
            raise ZeroDivisionError

        nursery.start_soon(owner.live, odd, explode)
        nursery.start_soon(bystander.live, other)
        await until_still()
        to_odd.send(frame("a"))
        to_other.send(frame("b"))
        await until_still()
        assert isinstance(owner.ended, ZeroDivisionError)
        assert bystander.obeyed == ["b"]


@pytest.mark.parametrize("step", ["read", "hand_over"])
async def test_a_defect_in_reading_is_that_connections(
    polled: Polled, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Not even one that nobody thought of ends the poller."""
    async with polled.connection() as (odd, to_odd), polled.connection() as (other, to_other):
        owner, bystander = Owner(), Owner()
        nursery.start_soon(owner.live, odd)
        nursery.start_soon(bystander.live, other)
        await until_still()
        real = getattr(Receiver, step)

        def explode(receiver: Receiver, *args: Any, **keys: Any) -> Any:
            if receiver is odd.receiver:
                raise ZeroDivisionError
            return real(receiver, *args, **keys)

        monkeypatch.setattr(Receiver, step, explode)
        to_odd.send(frame("a"))
        to_other.send(frame("b"))
        await until_still()
        assert isinstance(owner.ended, ZeroDivisionError)
        assert bystander.obeyed == ["b"]


async def test_a_turn_that_fails_ends_the_poller() -> None:
    """Nothing would be read any more: whoever runs it has to know."""

    def explode() -> None:
        raise ZeroDivisionError

    poller = Poller(explode)
    with trio.fail_after(SOON), pytest.RaisesGroup(ZeroDivisionError):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.run)
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.setblocking(False)
                with poller.watch(WebSocket(ours, nursery, Settings(), b"")):
                    theirs.send(b"x")
                    await trio.sleep_forever()
    poller.close()


async def test_nothing_is_done_for_an_owner_that_was_cancelled(
    polled: Polled, nursery: trio.Nursery
) -> None:
    async with polled.connection() as (websocket, theirs):
        owner, scope = Owner(), trio.CancelScope()

        async def wait() -> None:
            with scope:
                await owner.live(websocket)

        nursery.start_soon(wait)
        await until_still()
        scope.cancel()
        theirs.send(frame("a"))
        await until_still()
        assert owner.heard == []
        assert await websocket.receive() == ["a"]


async def test_an_owner_that_closes_in_the_middle_is_woken_once(polled: Polled) -> None:
    """`close` cancels it before what it raised can reach it."""
    async with polled.connection() as (bystander, theirs):
        ours, other = socket.socketpair()
        with ours, other:
            ours.setblocking(False)
            async with trio.open_nursery() as nursery:
                websocket = WebSocket(ours, nursery, Settings(), b"")

                def close(texts: Sequence[str | None]) -> Sequence[str | None]:
                    websocket.close(1000)  # type: ignore[arg-type]
                    raise Disconnected

                with polled.poller.watch(websocket):
                    nursery.start_soon(websocket.receive, close)
                    await until_still()
                    other.send(frame("a"))
                    await until_still()
            assert nursery.cancel_scope.cancelled_caught
        theirs.send(frame("b"))
        assert await bystander.receive() == ["b"]


async def test_one_who_floods_does_not_keep_others_from_their_turn(
    polled: Polled, nursery: trio.Nursery
) -> None:
    """Of its large messages there are few in a read: reading itself lets the others in."""
    async with polled.connection() as (flood, theirs), polled.connection() as (other, to_other):
        owner, bystander, reads = Owner(leave=1), Owner(), count()

        def full(size: int) -> bytes:
            assert next(reads) < 100, "nobody else has had a turn"
            return frame("x" * (size - 8))

        endless = SimpleNamespace(recv=full, fileno=flood.receiver._socket.fileno)
        flood.receiver._socket = endless  # type: ignore[assignment]
        nursery.start_soon(bystander.live, other)
        await until_still()
        to_other.send(frame("me too"))
        async with trio.open_nursery() as flooding:
            flooding.start_soon(owner.live, flood)
            theirs.send(b"whatever")
            while not bystander.heard:
                await trio.lowlevel.checkpoint()
            flooding.cancel_scope.cancel()


async def test_a_connection_that_is_over_is_freed_at_once(polled: Polled) -> None:
    """Not when the collector comes by: it comes seldom (docs/decisions/0005-garbage.md)."""

    class Holder:
        """Knows its socket, as a member does, and can be looked for."""

        def __init__(self, websocket: WebSocket) -> None:
            self.websocket = websocket

        def handler(self, texts: Sequence[str | None]) -> Sequence[str | None]:
            return ()

        async def live(self) -> None:
            with suppress(Disconnected):
                await self.websocket.receive(self.handler)

    async def come_and_go(cancel: bool) -> weakref.ref[Holder]:
        async with polled.connection() as (websocket, theirs):
            holder = Holder(websocket)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(holder.live)
                await until_still()
                if cancel:
                    nursery.cancel_scope.cancel()
                else:
                    theirs.close()
            return weakref.ref(holder)

    def alive() -> list[object]:
        parts = (WebSocket, Receiver, Sender, FrameReader, Budget)
        return [thing for thing in gc.get_objects() if type(thing) in parts]

    gc.collect()
    gc.disable()
    try:
        others = alive()  # that other tests have left
        assert [(await come_and_go(cancel))() for cancel in (True, False)] == [None, None]
        assert not [thing for thing in alive() if all(thing is not other for other in others)]
    finally:
        gc.enable()


async def test_pings_are_answered_and_silence_is_broken(
    polled: Polled, nursery: trio.Nursery
) -> None:
    async with polled.connection() as (websocket, theirs):
        nursery.start_soon(Owner().live, websocket)
        await until_still()
        websocket.silence = 3
        theirs.send(frame("hello?", PING))
        await until_still()
        assert theirs.recv(100) == bytes((0x80 | PONG, 6)) + b"hello?"
        assert websocket.silence == 0


async def test_all_that_came_is_one_turn(polled: Polled, nursery: trio.Nursery) -> None:
    async with polled.connection() as (one, to_one), polled.connection() as (two, to_two):
        for websocket in (one, two):
            nursery.start_soon(Owner().live, websocket)
        await until_still()
        before = polled.turns
        to_one.send(frame("a"))
        to_two.send(frame("b"))
        await until_still()
        assert polled.turns == before + 1
        statistics = polled.poller.statistics()
        assert (statistics.turns, statistics.watched) == (polled.turns, 2)
