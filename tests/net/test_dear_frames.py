"""Frames that cost more than they say: few at once, and not for long; what they say is not lost."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.net import poller as poller_module
from edgechat.net.budget import Budgets
from edgechat.net.frames import FrameReader
from edgechat.net.poller import Poller
from edgechat.net.websocket import WebSocket
from edgechat.rooms.socket import Disconnected
from edgechat.settings import Settings
from tests.serving.running import Bystander, Running
from tests.serving.wire import CLOSE, PING, PONG, SOON, TEXT, frame, join, say

CONT = 0
FRAGMENTED = frame("a", fin=False) + frame("", CONT, fin=False) * 40 + frame("z", CONT)
NO_LIMIT = Settings(frame_rate=0.0, address_frame_rate=0.0)


class Member:
    """Takes what comes, and charges for it as a member charges for what it answers."""

    def __init__(self, websocket: WebSocket, cost: float = 0.0) -> None:
        self.websocket = websocket
        self.heard: list[tuple[float, str | None]] = []
        self._cost = cost

    @property
    def texts(self) -> list[str | None]:
        return [text for _, text in self.heard]

    def handler(self, texts: Sequence[str | None]) -> Sequence[str | None]:
        for text in texts:
            self.heard.append((trio.current_time(), text))
            if self._cost:
                self.websocket.charge(self._cost)
        return ()

    async def live(self) -> None:
        with suppress(Disconnected):
            while True:
                self.handler(await self.websocket.receive(self.handler))


@asynccontextmanager
async def one_connected(
    settings: Settings, cost: float = 0.0
) -> AsyncIterator[tuple[Member, socket.socket]]:
    async with polled() as (poller, nursery), connected(poller, nursery, settings, cost) as one:
        yield one


@asynccontextmanager
async def connected(
    poller: Poller, nursery: trio.Nursery, settings: Settings, cost: float = 0.0
) -> AsyncIterator[tuple[Member, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setblocking(False)
        budget = Budgets(settings).of(None)
        websocket = WebSocket(ours, nursery, settings, b"", budget)
        member = Member(websocket, cost)
        with poller.watch(websocket):
            nursery.start_soon(member.live)
            await wait_all_tasks_blocked()
            yield member, theirs


@asynccontextmanager
async def polled() -> AsyncIterator[tuple[Poller, trio.Nursery]]:
    poller = Poller(lambda: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(poller.run)
        yield poller, nursery
        nursery.cancel_scope.cancel()
    poller.close()


async def test_a_turn_deals_with_few_dear_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 of one connection and 128 in all; each connection's come in their order, and all come."""
    dear: list[int] = []
    take_turn = poller_module.Poller._take_turn

    def counting(poller: Poller) -> None:
        before = sum(read.values())
        take_turn(poller)
        dear.append(sum(read.values()) - before)

    read: dict[FrameReader, int] = {}
    feed = FrameReader.feed

    def reading(reader: FrameReader, data: bytes) -> list[str | None]:
        before = reader.unusual
        messages = feed(reader, data)
        assert reader.unusual - before <= 16
        read[reader] = read.get(reader, 0) + reader.unusual - before
        return messages

    monkeypatch.setattr(poller_module.Poller, "_take_turn", counting)
    monkeypatch.setattr(FrameReader, "feed", reading)
    with trio.fail_after(SOON):
        async with polled() as (poller, nursery):
            crowd = [connected(poller, nursery, NO_LIMIT) for _ in range(30)]
            members = [await one.__aenter__() for one in crowd]
            for _, theirs in members:
                theirs.send(frame("first") + FRAGMENTED * 8 + frame("last"))
            await wait_all_tasks_blocked(0.02)
            for member, _ in members:
                assert member.texts == ["first", *["az"] * 8, "last"]
            for one in crowd:
                await one.__aexit__(None, None, None)
    assert sum(read.values()) == 30 * 8 * 42
    assert max(dear) <= 128 + 16


async def test_what_was_read_is_not_lost_when_its_owner_is_cancelled_before_it_is_dealt_with() -> (
    None
):
    with trio.fail_after(SOON):
        async with polled() as (poller, nursery), connected(poller, nursery, NO_LIMIT) as (one, _):
            receiver = one.websocket.receiver
            async with trio.open_nursery() as waiting:
                heard: list[str | None] = []

                async def wait() -> None:
                    heard.extend(await one.websocket.receive())

                nursery.cancel_scope.shield = False
                receiver._disown(None)
                receiver.hand_over(frame("late") + frame("later")[:4])
                receiver.hand_over(frame("later")[4:])
                waiting.start_soon(wait)
            assert heard == ["late", "later"]


# 10 a second and 20 at once: 62 fragments of one message are 42 too many.
async def test_fragments_are_read_as_fast_as_the_budget_allows(autojump_clock: MockClock) -> None:
    settings = Settings(frame_rate=10.0, frame_burst=20.0, frame_pause=60.0)
    async with one_connected(settings) as (member, theirs):
        start = trio.current_time()
        theirs.send(frame("a", fin=False) + frame("", CONT, fin=False) * 60 + frame("z", CONT))
        theirs.send(frame("behind"))
        await trio.sleep(10)
        assert member.texts == ["az", "behind"]
        waited = member.heard[0][0] - start
        assert 62 - 20 - 16 <= 10 * waited <= 62 - 20


# 60 are 40 too many; the last 16 are read in one go, and paid for after it.
@pytest.mark.parametrize("kind", [PING, PONG])
async def test_controls_are_read_as_fast_as_the_budget_allows(
    autojump_clock: MockClock, kind: int
) -> None:
    settings = Settings(frame_rate=10.0, frame_burst=20.0, frame_pause=5.0)
    async with one_connected(settings) as (member, theirs):
        start = trio.current_time()
        theirs.send(frame("?", kind) * 60 + frame("behind"))
        await wait_all_tasks_blocked()
        theirs.send(frame("far behind"))
        await trio.sleep(120)
        assert member.texts == ["behind", "far behind"]
        assert 60 - 20 - 16 <= 10 * (member.heard[1][0] - start) <= 60 - 20
        if kind == PING:
            assert theirs.recv(10_000) == frame("?", PONG, masked=False) * 60


async def test_what_a_member_charges_counts_as_well(autojump_clock: MockClock) -> None:
    """64 at once may be too many; then they come two a second, as each costs five."""
    settings = Settings(frame_rate=10.0, frame_burst=20.0, frame_pause=60.0)
    async with one_connected(settings, cost=5.0) as (member, theirs):
        theirs.send(b"".join(frame(f"{number}") for number in range(400)))
        await wait_all_tasks_blocked()
        assert len(member.heard) <= 64
        await trio.sleep(200)
        assert member.texts == [f"{number}" for number in range(400)]


async def test_the_kernel_pushes_back(autojump_clock: MockClock) -> None:
    settings = Settings(frame_rate=1.0, frame_burst=1.0, frame_pause=1_000.0)
    async with one_connected(settings) as (_, theirs):
        sent = 0
        with suppress(BlockingIOError):
            for sent in range(100_000):  # noqa: B007 - how many were taken
                theirs.send(frame("?" * 100, PING))
                await trio.lowlevel.checkpoint()
        assert sent < 10_000


async def test_a_pause_is_no_silence_for_long(autojump_clock: MockClock) -> None:
    """Else the heartbeat would close one that answered its pings, but was not read."""
    settings = Settings()
    assert settings.frame_pause < settings.heartbeat_timeout / 2
    async with one_connected(settings) as (member, theirs):
        for _ in range(20):
            with suppress(BlockingIOError):
                theirs.send(frame("?", PING) * 60)
            member.websocket.silence = 1
            await trio.sleep(settings.frame_pause + 0.1)
            assert member.websocket.silence == 0
            with suppress(BlockingIOError):
                theirs.recv(100_000)


async def test_a_usual_conversation_is_never_paused(autojump_clock: MockClock) -> None:
    async with one_connected(Settings()) as (member, theirs):
        for _ in range(20):
            theirs.send(frame("x" * 300) * 50)
            await wait_all_tasks_blocked()
        assert len(member.heard) == 1_000
        assert trio.current_time() == 0


async def test_after_a_close_what_comes_is_passed_over_and_the_close_is_found() -> None:
    """It was all read to its end, at the price of fragments, for five seconds."""
    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                for end in (ours, theirs):
                    end.setblocking(False)
                websocket = WebSocket(ours, nursery, Settings(close_timeout=60.0), b"")
                websocket.close(1012)  # type: ignore[arg-type]
                with trio.CancelScope(shield=True):
                    async with trio.open_nursery() as finishing:
                        finishing.start_soon(websocket.finish)
                        await wait_all_tasks_blocked()
                        assert theirs.recv(100) == b"\x88\x02\x03\xf4"
                        stream = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
                        await stream.send_all(FRAGMENTED * 300 + frame(b"\x03\xf4", CLOSE))
                        await wait_all_tasks_blocked(0.01)
                        assert theirs.recv(100) == b"", "it was seen, and answered by an end"
                        theirs.shutdown(socket.SHUT_WR)
                assert websocket.receiver.reader.unusual == 0


@pytest.mark.parametrize("flood", [FRAGMENTED * 40, frame("p", PING) * 60], ids=["cut", "pings"])
async def test_a_flood_harms_nobody_else(
    server: Running, bystanders: Bystander, flood: bytes
) -> None:
    mallory = await join(server.port, "mallory")
    with trio.fail_after(SOON):
        with trio.move_on_after(1.0):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(mallory.rest)
                while True:
                    await mallory.send(flood)
                    await trio.lowlevel.checkpoint()
        await bystanders.goes_on()


async def test_autobahn_7_1_5(server: Running) -> None:
    """A close between fragments is a close; it was answered by an error."""
    wire = await join(server.port, "alice")
    with trio.fail_after(SOON):
        fragment = frame("a", TEXT, fin=False)
        await wire.send(say("hi") + fragment + frame(b"\x03\xe8", CLOSE) + frame("b", CONT))
        assert await wire.close_code() == 1000
        assert await wire.rest() == b""
