"""Hearing and saying, over streams in memory, on the autojump clock."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from edgechat.client import (
    Disconnected,
    Joined,
    Message,
    Ready,
    Refused,
    Token,
)

from .entering import enter, joined, take
from .lines import h_of, line, message, ready, refusal
from .peer import Peer, Side, a_peer


async def test_join_hear_leave(autojump_clock: trio.testing.MockClock) -> None:
    async with joined('{"joined":"bob"}', line(5), head=5) as (room, side, _):
        events = await take(room, 2)
        assert events[0] == message(5)
        assert isinstance(events[1], Ready)
        assert room.roster == ("bob",)
        assert room.token == Token(5, h_of(5))
        await side.send('{"joined":"eve"}', line(6))
        assert await take(room, 2) == [Joined("eve"), message(6)]
    assert await side.wait_closed() == 1000
    assert [event async for event in room] == []
    with pytest.raises(trio.ClosedResourceError):
        await room.say("too late")


async def test_the_handshake(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def accept() -> None:
            request, stream = await peer.request()
            assert request.path == "/api/room/lobby/websocket"
            assert (b"host", b"h:8080") in request.headers or request.headers
            side = Side(await request.accept(), stream)
            hello = await side.join()
            assert hello == {
                "name": "alice",
                "v": 2,
                "backlog": 100,
                "since": {"seq": 3, "h": "ab"},
            }

        nursery.start_soon(accept)
        async with enter(peer, since=Token(3, "ab")):
            pass


async def test_say(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, _), trio.open_nursery() as nursery:

        async def answer() -> None:
            frame = await side.receive()
            await side.send(line(1, frame["message"], "alice", frame["id"]))

        nursery.start_soon(answer)
        stored = await room.say("hi")
        assert (stored.seq, stored.message) == (1, "hi")
        assert stored.mine
        [_, event] = await take(room, 2)
        assert event == stored


async def test_say_refused(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, _), trio.open_nursery() as nursery:
        nursery.start_soon(side.send, refusal("id_conflict", id="c1"))
        with pytest.raises(Refused) as caught:
            await room.say("hi", id="c1")
        assert caught.value.code == "id_conflict"


async def test_say_waits_out_a_spent_allowance(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, _), trio.open_nursery() as nursery:
        sent_at = []

        async def refuse_once() -> None:
            await side.receive()
            sent_at.append(trio.current_time())
            await side.send(refusal("rate_limited", id="c1", retry_after_ms=3_200))
            await side.receive()
            sent_at.append(trio.current_time())
            await side.send(line(1, "hi", "alice", "c1"))

        nursery.start_soon(refuse_once)
        stored = await room.say("hi", id="c1")
        assert stored.seq == 1
        assert stored.mine
        assert sent_at[1] - sent_at[0] == pytest.approx(3.2)


async def test_says_of_many_tasks_go_in_their_order(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, _), trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(room.say, f"{number}")
            await trio.testing.wait_all_tasks_blocked()
        for number in range(5):
            frame = await side.receive()
            assert frame["message"] == f"{number}"
            await side.send(line(number + 1, frame["message"], "alice", frame["id"]))


async def test_a_cancelled_say_is_not_said_again(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, peer):
        with trio.move_on_after(1):
            await room.say("never mind")
        await side.cut()
        again = await peer.accept()
        await again.join()
        with trio.move_on_after(5) as silence:
            await again.receive()
        assert silence.cancelled_caught


async def test_nobody_iterates(autojump_clock: trio.testing.MockClock) -> None:
    async with joined(buffer=10) as (room, side, _), trio.open_nursery() as nursery:

        async def chatter() -> None:
            for seq in range(1, 1_000):
                await side.send(line(seq))
            frame = await side.receive()
            await side.send(line(1_000, "hi", "alice", frame["id"]))

        nursery.start_soon(chatter)
        assert (await room.say("hi")).seq == 1_000


async def test_what_overflowed_is_given_out_later(autojump_clock: trio.testing.MockClock) -> None:
    async with joined(buffer=10) as (room, side, peer), trio.open_nursery() as nursery:
        lines = [line(seq) for seq in range(1, 201)]

        async def serve() -> None:
            for text in lines:
                await side.send(text)
            frame = await side.receive()
            lines.append(line(201, "hi", "alice", frame["id"]))
            await side.send(lines[-1])
            again = await peer.accept()
            hello = await again.receive()
            kept = hello["since"]["seq"]
            assert kept < 201
            await again.send(*lines[kept:], ready(201, recovered=True))

        nursery.start_soon(serve)
        await room.say("hi")
        seqs = [event.seq for event in await take(room, 203) if isinstance(event, Message)]
        assert seqs == list(range(1, 202))
        assert peer.dials == [0, 0]


async def test_a_slow_iterator_stops_the_reading(autojump_clock: trio.testing.MockClock) -> None:
    """And the heartbeat, for as long as nobody listens; then it goes on."""
    options = {"buffer": 10, "ping_interval": 15, "ping_timeout": 10}
    async with joined(**options) as (room, side, peer), trio.open_nursery() as nursery:
        for seq in range(1, 500):
            await side.send(line(seq))
        await trio.sleep(3_600)
        seqs = [event.seq for event in await take(room, 500) if isinstance(event, Message)]
        assert seqs == list(range(1, 500))
        assert len(peer.dials) == 1
        assert isinstance(await anext(room), Disconnected)
        assert trio.current_time() == pytest.approx(3_625)
        nursery.cancel_scope.cancel()


async def test_leaving_while_cancelled_loses_no_error(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(_accept_and_join, peer)
        with pytest.raises(KeyError, match="mine"):
            await _fail_while_cancelled(peer)


async def _fail_while_cancelled(peer: Peer) -> None:
    with trio.CancelScope() as scope:
        async with enter(peer):
            scope.cancel()
            raise KeyError("mine")


async def _accept_and_join(peer: Peer) -> None:
    await (await peer.accept()).join()


async def test_an_error_of_the_block_comes_out_as_it_is(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:
        closes: list[int] = []

        async def serve() -> None:
            side = await peer.accept()
            await side.join()
            closes.append(await side.wait_closed())

        nursery.start_soon(serve)
        with pytest.raises(KeyError, match="mine"):
            async with enter(peer):
                raise KeyError("mine")
    assert closes == [1000]


async def test_leaving_ends_a_say(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:

        async def say() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await room.say("hi")

        async with joined() as (room, side, _):
            nursery.start_soon(say)
            await side.receive()


async def test_typing(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, _):
        room.typing()
        assert await side.receive() == {"typing": True}
