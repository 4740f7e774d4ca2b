"""Coming back, and where one must not, over streams in memory, on the autojump clock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed
from wsproto.events import CloseConnection, TextMessage

from edgechat.client import (
    Disconnected,
    Expelled,
    Message,
    Ready,
    Rejected,
    Room,
    Unreachable,
    open_room,
)

from .entering import OPTIONS, URL, enter, joined, take
from .lines import h_of, line, ready, refusal
from .peer import Peer, Side, a_peer


async def test_a_cut_with_a_say_in_flight(autojump_clock: trio.testing.MockClock) -> None:
    async with joined(line(5), head=5) as (room, side, peer), trio.open_nursery() as nursery:
        said: list[Message] = []

        async def say() -> None:
            said.append(await room.say("hi"))

        nursery.start_soon(say)
        first = await side.receive()
        await side.cut()
        again = await peer.accept()
        hello = await again.join(line(6), head=6)
        assert hello["since"] == {"seq": 5, "h": h_of(5)}
        assert await again.receive() == first
        await again.send(line(7, "hi", "alice", first["id"]))
        events = [event for event in await take(room, 6) if isinstance(event, Message)]
        assert [event.seq for event in events] == [5, 6, 7]
        assert said == [events[-1]]


async def test_comes_back_with_growing_waits(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, peer):
        await take(room, 1)
        peer.is_down = True
        await trio.sleep(60)  # steady
        await side.close(1012, "restart")
        began = trio.current_time()
        [gone] = await take(room, 1)
        assert repr(gone) == "Disconnected(code=1012, text='restart', retry_in=1.0)"
        await trio.sleep(100)
        # Waits of 1, 2, 4, 8, 16, then 30 each.
        assert [at - began for at in peer.dials[1:]] == pytest.approx([1, 3, 7, 15, 31, 61, 91])
        peer.is_down = False
        await (await peer.accept()).join()
        assert trio.current_time() - began == pytest.approx(121)
        [ready] = await take(room, 1)
        assert isinstance(ready, Ready)
        assert ready.resumed


async def test_a_silent_connection_is_dropped(autojump_clock: trio.testing.MockClock) -> None:
    async with joined(ping_interval=15, ping_timeout=10) as (room, side, peer):
        began = trio.current_time()
        await take(room, 1)
        assert await side.receive() == {"ping": 1}
        assert trio.current_time() - began == pytest.approx(15)
        assert isinstance(await anext(room), Disconnected)
        await (await peer.accept()).join()
        # Silent at 15, dropped at 25; the close frame gets its answer at once; 1 s of back-off.
        assert trio.current_time() - began == pytest.approx(26)


async def test_a_peer_that_reads_nothing_is_dropped_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(_accept_then_read_nothing, peer)
        with pytest.raises(Unreachable):
            async with enter(peer, ping_interval=15, ping_timeout=10):
                pass
        # 15 s of silence, 10 s after the ping, 2 s for a closing handshake that does not come.
        assert trio.current_time() == pytest.approx(27)
        nursery.cancel_scope.cancel()


async def _accept_then_read_nothing(peer: Peer) -> None:
    request, _ = await peer.request()
    await request.accept()
    await trio.sleep_forever()


async def test_an_answered_ping_keeps_it(autojump_clock: trio.testing.MockClock) -> None:
    async with joined(ping_interval=15) as (_, side, peer):
        for number in range(1, 240):  # an hour
            assert await side.receive() == {"ping": number}
            await side.send(f'{{"pong":{number}}}')
        assert len(peer.dials) == 1


@pytest.mark.parametrize(("code", "error"), [(1008, "bad_name"), (1009, "name_too_long")])
async def test_expelled_while_joining(
    code: int, error: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def expel() -> None:
            side = await peer.accept()
            await side.receive()
            await side.send(refusal(error))
            await side.close(code)

        nursery.start_soon(expel)
        with pytest.raises(Expelled) as caught:
            async with enter(peer):
                pytest.fail("came in")
        assert (caught.value.code, caught.value.error) == (code, error)


async def test_expelled_later(autojump_clock: trio.testing.MockClock) -> None:
    async with joined(line(1), head=1) as (room, side, _), trio.open_nursery() as nursery:
        nursery.start_soon(_say_and_be_expelled, room)
        await side.receive()
        await side.close(1008, "abuse")
        assert [type(event) for event in await take(room, 2)] == [Message, Ready]
        for _ in range(2):
            with pytest.raises(Expelled, match="1008: abuse"):
                await anext(room)
        with pytest.raises(Expelled):
            await room.say("hi")


async def _say_and_be_expelled(room: Room) -> None:
    with pytest.raises(Expelled):
        await room.say("hi")


async def test_rejected(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def reject() -> None:
            request, _ = await peer.request()
            await request.reject(404, body=b'{"error":"Name too long","code":"not_found"}')

        nursery.start_soon(reject)
        with pytest.raises(Rejected, match="404: Name too long"):
            async with enter(peer):
                pytest.fail("came in")


@pytest.mark.parametrize("body", [b"<h1>Not Found</h1>", b'{"message":"no Route"}', b""])
async def test_a_gateways_404_ends_nothing_before_the_first_join_or_after(
    body: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:
        sides: list[Side] = []

        async def accept_after_404() -> None:
            request, _ = await peer.request()
            await request.reject(404, body=body)
            sides.append(await peer.accept())
            await sides[-1].join()

        nursery.start_soon(accept_after_404)
        async with enter(peer) as room:
            assert peer.dials == pytest.approx([0, 1])
            await take(room, 1)
            nursery.start_soon(accept_after_404)
            await sides[0].cut()
            assert [type(event) for event in await take(room, 2)] == [Disconnected, Ready]


async def test_a_gateway_that_stays_is_told_in_its_words(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def reject() -> None:
            while True:
                await (await peer.request())[0].reject(403, body=b"Log in first")

        nursery.start_soon(reject)
        with pytest.raises(Unreachable, match="HTTP 403: Log in first"):
            async with enter(peer):
                pytest.fail("came in")
        assert peer.dials == pytest.approx([0, 1, 3, 7, 10])
        nursery.cancel_scope.cancel()


async def test_too_many_connections_is_no_rejection(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def reject_then_accept() -> None:
            request, _ = await peer.request()
            headers = [(b"retry-after", b"9")]
            await request.reject(429, extra_headers=headers, body=b'{"error":"x","code":"y"}')
            await (await peer.accept()).join()

        nursery.start_soon(reject_then_accept)
        async with enter(peer):
            assert peer.dials == pytest.approx([0, 9])


async def test_unreachable(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer:
        peer.is_down = True
        with pytest.raises(Unreachable, match="Connection refused"):
            async with enter(peer):
                pytest.fail("came in")
        assert peer.dials == [0, 1, 3, 7, 10]


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\0"])
async def test_what_answers_is_no_such_server(
    answer: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def reply() -> None:
            stream = await peer.stream()
            await stream.receive_some()
            if answer:
                await stream.send_all(answer)
            await stream.send_eof()

        nursery.start_soon(reply)
        with pytest.raises(Unreachable):
            async with enter(peer, join_within=0):
                pytest.fail("came in")
        assert trio.current_time() == 0


async def test_a_server_that_never_answers(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer:
        with pytest.raises(Unreachable, match="too long"):
            async with enter(peer, join_within=0, connect_timeout=10):
                pytest.fail("came in")
        assert trio.current_time() == pytest.approx(10)


async def test_one_deadline_for_all_of_connecting(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer:

        async def slow() -> trio.abc.Stream:
            await trio.sleep(6)
            return await peer.dial()

        options = replace(OPTIONS, join_within=0, connect_timeout=10)
        with pytest.raises(Unreachable, match="too long"):
            async with open_room(URL, "alice", dial=slow, options=options):
                pytest.fail("came in")
        assert trio.current_time() == pytest.approx(10)


async def test_a_join_that_brings_nothing_but_pongs_is_dropped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def answer_pings_only() -> None:
            side = await peer.accept()
            while True:
                frame = await side.receive()
                if "ping" in frame:
                    await side.send(f'{{"pong":{frame["ping"]}}}')

        async def accept_twice() -> None:
            with suppress(ConnectionClosed):
                await answer_pings_only()
            await (await peer.accept()).join()

        nursery.start_soon(accept_twice)
        async with enter(peer, ping_interval=15, ping_timeout=10, join_within=60):
            # 15 s of silence, 10 s after the ping; 1 s of back-off.
            assert trio.current_time() == pytest.approx(26)


async def test_a_binary_frame_or_nonsense_is_resumed_from(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with joined() as (room, side, peer):
        await take(room, 1)
        await side.send("nonsense")
        [gone] = await take(room, 1)
        assert isinstance(gone, Disconnected)
        assert "not of this protocol" in gone.text
        await (await peer.accept()).join()


async def test_leaving_while_away(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, side, peer):
        peer.is_down = True
        await side.cut()
        await take(room, 2)
        began = trio.current_time()
    assert trio.current_time() == began


async def test_a_send_that_blocks_is_a_dead_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_peer(lockstep=True) as peer, trio.open_nursery() as nursery:
        sides: list[Side] = []

        async def accept() -> None:
            sides.append(await peer.accept())
            await sides[0].join()

        nursery.start_soon(accept)
        async with enter(peer, ping_timeout=10, window=100) as room:
            await take(room, 1)
            for number in range(10):  # more than fits between here and a peer that stopped reading
                nursery.start_soon(room.say, f"{number}")
            assert isinstance(await anext(room), Disconnected)
            assert trio.current_time() == pytest.approx(10)
            nursery.cancel_scope.cancel()


async def test_a_close_right_after_the_handshake(autojump_clock: trio.testing.MockClock) -> None:
    """All in one segment, and the end of the stream behind it: the code must not be lost."""
    async with a_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(peer.accept_by_hand, CloseConnection(1013, "full"), True)
        with pytest.raises(Unreachable, match="full"):
            async with enter(peer, join_within=0):
                pytest.fail("came in")


async def test_an_end_right_after_the_handshake(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(peer.accept_by_hand, None, True)
        with pytest.raises(Unreachable, match="the connection was lost"):
            async with enter(peer, join_within=0):
                pytest.fail("came in")


async def test_silence_after_a_pause_is_noticed(autojump_clock: trio.testing.MockClock) -> None:
    lines = [line(seq) for seq in range(1, 10)]  # with the ready, just as many as fit
    options = {"buffer": 10, "ping_interval": 15, "ping_timeout": 10}
    async with joined(*lines, head=9, **options) as (room, _, peer):
        await trio.sleep(3_600)
        await take(room, 10)
        assert isinstance(await anext(room), Disconnected)
        assert trio.current_time() == pytest.approx(3_625)
        await (await peer.accept()).join()


@pytest.mark.parametrize(("in_haste", "seconds"), [(True, 0), (False, 2)])
async def test_leaving_a_deaf_server(
    in_haste: bool, seconds: float, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(peer.accept_by_hand, TextMessage(ready(0)), False)
        with trio.CancelScope() as scope:
            async with enter(peer, close_timeout=2):
                if in_haste:
                    scope.cancel()
                await trio.lowlevel.checkpoint()
        assert trio.current_time() == seconds
