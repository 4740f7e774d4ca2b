from __future__ import annotations

import json

import pytest
import trio
from trio_websocket import open_websocket_url

from tests.serving.running import Bystander, Running
from tests.serving.wire import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    SOON,
    dial,
    frame,
    hello,
    join,
    open_wire,
    say,
    upgrade,
)

BIG = "x" * 1_900
CONT = 0


async def test_a_real_client(server: Running) -> None:
    url = f"ws://127.0.0.1:{server.port}/api/room/lobby/websocket"
    with trio.fail_after(SOON):
        async with open_websocket_url(url) as websocket:
            await websocket.send_message('{"name":"alice"}')
            assert json.loads(await websocket.get_message()) == {"joined": "alice"}
            assert json.loads(await websocket.get_message())["ready"] is True
            await websocket.ping()
            await websocket.send_message('{"message":"hi"}')
            assert json.loads(await websocket.get_message())["message"] == "hi"


async def test_everything_in_the_segment_of_the_upgrade_is_read(server: Running) -> None:
    wire = await dial(server.port)
    says = b"".join(say(f"{n}") for n in range(200))
    with trio.fail_after(SOON):
        await wire.send(upgrade("lobby") + hello("alice") + says)
        assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
        assert [line["message"] for line in await wire.lines(200)] == [f"{n}" for n in range(200)]
        await wire.send(frame(b"\x03\xe8", CLOSE))
        assert await wire.close_code() == 1000


async def test_a_byte_at_a_time(server: Running) -> None:
    wire = await dial(server.port)
    with trio.fail_after(SOON):
        for byte in upgrade("lobby") + hello("alice") + say("hi") + say("é", id="c1"):
            await wire.send(bytes((byte,)))
        await wire.head()
        assert [line["message"] for line in await wire.lines(2)] == ["hi", "é"]


async def test_nothing_is_sent_before_the_hello(server: Running, bystanders: Bystander) -> None:
    wire = await open_wire(server.port)
    with trio.fail_after(SOON):
        await bystanders.goes_on()
        await wire.send(frame(b"?", PING))  # what was sent before it would come before its answer
        assert await wire.frame() == (0x80 | PONG, b"?")


async def test_both_kinds_of_ping_are_answered(server: Running) -> None:
    wire = await join(server.port, "alice")
    with trio.fail_after(SOON):
        await wire.send(frame(b"7", PING) + frame('{"ping":8}') + frame(b"9", PONG))
        assert await wire.frame() == (0x80 | PONG, b"7")
        assert await wire.event() == {"pong": 8}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame("x" * 26_049), 1009),
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7, 1009),
        (b"".join(frame("x" * 9_000, CONT if n else 1, fin=False) for n in range(4)), 1009),
        (frame("a", fin=False) + frame("", CONT, fin=False) * 70, 1008),
        (frame("x", masked=False), 1002),
        (frame("x", rsv=4), 1002),
        (frame("x", 7), 1002),
        (frame("x" * 126, PING), 1002),
        (frame(b"\xff\xfe"), 1007),
        (frame(b"", BINARY) * 10, 1008),
        (frame("[" * 5_000) * 10, 1008),
        (frame("") * 10, 1008),
    ],
)
async def test_abuse_of_frames(
    server: Running, bystanders: Bystander, data: bytes, code: int
) -> None:
    wire = await join(server.port, "mallory")
    with trio.fail_after(SOON):
        await wire.send(data)
        await bystanders.goes_on()
        assert await wire.close_code() == code
        if code in (1002, 1007, 1009):
            assert await wire.rest() == b""


async def test_nine_bad_frames_and_a_good_one(server: Running) -> None:
    wire = await join(server.port, "alice")
    with trio.fail_after(SOON):
        for _ in range(3):
            await wire.send(frame("nonsense") * 9 + say("good"))
            for _ in range(9):
                assert (await wire.event())["code"] == "bad_frame"
            assert (await wire.event())["message"] == "good"


JSON = [
    "nonsense",
    "[]",
    "7",
    "null",
    '{"message":7}',
    '{"message":"a","message":"b"}',
    '{"message":"a","x":' + "[" * 2_000 + "]" * 2_000 + "}",
    '{"ping":1' + "0" * 400 + "}",
    '{"ping":NaN}',
    '{"message":"\\ud800"}',
    '{"message":"a","id":""}',
    '{"message":"a","id":"' + "x" * 65 + '"}',
    '{"message":"a","id":"é"}',
    '{"message":"a"} {}',
    '\ufeff{"message":"a"}',
    '{"typing":"yes"}',
    "{}",
]


async def test_bad_json_is_a_bad_frame(server: Running, bystanders: Bystander) -> None:
    wire = await join(server.port, "mallory")
    with trio.fail_after(SOON):
        for text in JSON:
            await wire.send(frame(text) + frame('{"ping":1}'))
            assert (await wire.event())["code"] == "bad_frame", text[:40]
            assert await wire.event() == {"pong": 1}
    assert len(server.lines()) == 1


async def test_the_closing_handshake_begun_there(server: Running, bystanders: Bystander) -> None:
    wire = await join(server.port, "carol")
    with trio.fail_after(SOON):
        await wire.send(say("bye") + frame(b"\x03\xe9gone", CLOSE))
        await bystanders.hear("bye")  # it was said before it went
        assert (await wire.event())["message"] == "bye"
        assert await wire.frame() == (0x80 | CLOSE, b"\x03\xe9gone")
        assert await wire.rest() == b""


async def test_nothing_follows_a_close_frame(server: Running, bystanders: Bystander) -> None:
    for _ in range(10):
        wire = await join(server.port, "carol")
        with trio.fail_after(SOON):
            await wire.send(say("bye") + frame('{"ping":1}') * 5 + frame(b"\x03\xe8", CLOSE))
            data = await wire.rest()
            assert data.count(b'{"pong":1}') == 5
            assert data.endswith(b"\x88\x02\x03\xe8")
        await bystanders.hear("bye")


async def test_the_closing_handshake_begun_here(server: Running) -> None:
    wire = await open_wire(server.port)
    with trio.fail_after(SOON):
        await wire.send(hello("x" * 33))
        assert (await wire.event())["code"] == "name_too_long"
        assert await wire.close_code() == 1009
        await wire.send(say("too late") + frame(b"\x03\xf1", CLOSE))
        assert await wire.rest() == b""
    assert server.files() == set()


@pytest.mark.parametrize("how", ["half-closed", "reset", "closed"])
async def test_who_ends_without_a_word_has_left(server: Running, how: str) -> None:
    alice = await join(server.port, "alice")
    with trio.fail_after(SOON):
        for _ in range(10):
            mallory = await join(server.port, "mallory")
            if how == "half-closed":
                await mallory.half_close()
            elif how == "reset":
                mallory.reset()
            else:
                mallory.close()
            await alice.until("quit", "mallory")
            if how == "half-closed":
                await mallory.rest()


async def test_who_hangs_up_right_behind_a_message_still_hears_it(server: Running) -> None:
    """As `printf … | nc` does: it says no more, and still listens."""
    for number in range(30):  # Trio runs tasks in random order: a race would not always be lost
        wire = await open_wire(server.port, f"room-{number}")
        await wire.send(hello("nc") + say("last words"))
        await wire.half_close()
        await wire.until("message", "last words")
        wire.close()
