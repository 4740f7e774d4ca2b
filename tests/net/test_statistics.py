"""What the door tells of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from edgechat.net import poller
from edgechat.server import serve
from edgechat.settings import Settings
from tests.serving.clock import HeldClock
from tests.serving.running import Running, eventually, exchange, let_in, serving, the_listener
from tests.serving.wire import CLOSE, SOON, dial, frame, join, open_wire, upgrade

PLAIN = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"


async def test_what_came_and_what_became_of_it(server: Running) -> None:
    alice = await join(server.port, "alice")
    bob = await join(server.port, "bob")
    statistics = the_listener().statistics()
    assert (statistics.accepted, statistics.websockets) == (2, 2)
    assert (statistics.connections.open, statistics.outbox_bytes) == (2, 0)
    with trio.fail_after(SOON):
        await alice.send(frame(b"\x03\xe8", CLOSE))
        assert await alice.close_code() == 1000
        bob.reset()
        mallory = await open_wire(server.port)
        await mallory.send(frame("x" * 30_000))
        assert await mallory.close_code() == 1009
    for wire in (alice, mallory):
        wire.close()
    await eventually(lambda: the_listener().statistics().websockets == 0)
    assert the_listener().statistics().closes == {1000: 1, 1006: 1, 1009: 1}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"\x16\x03\x01\x02\x00", "not http"),
        (PLAIN + b"X: " + b"x" * 20_000, "large head"),
        (PLAIN + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", "two lengths"),
        (upgrade("lobby", b"Origin: http://evil.example"), "origin"),
        (upgrade("a.b"), "no room"),
        (upgrade("lobby").replace(b": 13", b": 8"), "bad handshake"),
    ],
)
async def test_what_was_refused_and_why(server: Running, request_: bytes, reason: str) -> None:
    await exchange(server.port, request_)
    assert the_listener().statistics().refused == {reason: 1}


async def test_who_was_too_many(tmp_path: Path, held_clock: HeldClock) -> None:
    async with serving(tmp_path, max_connections=1) as server:
        slow = await dial(server.port)
        await let_in(1)
        await exchange(server.port, PLAIN + b"\r\n")
        held_clock.move(Settings().head_timeout)
        with trio.fail_after(SOON):
            await slow.rest()
        assert the_listener().statistics().refused == {"full": 1, "slow head": 1}


async def test_a_poller_that_dies_takes_the_server_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that accepts and never reads again would be worse than none."""

    def explode(_: object) -> None:
        raise ZeroDivisionError

    settings = Settings(data=tmp_path, port=0)
    with trio.fail_after(SOON), pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, settings, trio.Event())
            wire = await open_wire(int(url.rstrip("/").rpartition(":")[2]))
            monkeypatch.setattr(poller.Poller, "_take_turn", explode)
            await wire.send(frame("hello"))
            await trio.sleep_forever()
