"""Metrics, scraped from a server that runs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.net.listening import ListenError
from edgechat.server import serve
from edgechat.settings import Settings
from tests.http.following import follow

from .running import Answer, eventually, exchange, parse_answer, serving
from .wire import SOON, Wire, dial, frame, join, open_wire


@pytest.fixture
def port(caplog: pytest.LogCaptureFixture) -> Iterator[Port]:
    with caplog.at_level(logging.INFO):
        yield Port(caplog)


class Port:
    """Where the metrics are, which only the log says."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    async def find(self) -> int:
        await eventually(lambda: bool(self._found()))
        return self._found()[0]

    def _found(self) -> list[int]:
        said = [record.getMessage() for record in self._caplog.records]
        found = [re.search(r"Metrics are at .*:(\d+)/metrics$", text) for text in said]
        return [int(one[1]) for one in found if one]

    async def ask(self, request: str) -> Answer:
        return await exchange(await self.find(), request.encode())

    async def numbers(self) -> dict[str, float]:
        answer = await self.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def with_metrics(data: Path, **changes: Any) -> Any:
    return serving(data, metrics_address="127.0.0.1:0", **changes)


async def test_the_counters_are_what_was_done(tmp_path: Path, port: Port) -> None:
    async with with_metrics(tmp_path) as server:
        before = await port.numbers()
        said, rooms = 0, ("lobby", "ops", "tea")
        wires: list[Wire] = []
        for room in rooms:
            alice, bob = (
                await join(server.port, "alice", room),
                await join(server.port, "bob", room),
            )
            for n in range(5):
                await alice.say(f"m{n}", id=f"{room}{n}")
                await bob.until("message", f"m{n}")
                said += 1
            await alice.say(" ")
            assert (await alice.until("code"))["code"] == "empty_message"
            await alice.say("another text", id=f"{room}0")
            assert (await alice.until("code"))["code"] == "id_conflict"
            wires += [alice, bob]
        nobody = await open_wire(server.port)
        await nobody.send(frame('{"name":"' + "x" * 33 + '"}'))
        assert await nobody.close_code() == 1009
        nobody.close()
        for body, status in (("", 400), ("x" * 2001, 413), ('{"message":7}', 400)):
            kind = "application/json" if body[:1] == "{" else "text/plain"
            posted = await server.ask(
                "POST", "/api/room/lobby/messages", f"Content-Type: {kind}", body=body.encode()
            )
            assert posted.status == status
        refused = await server.get("/api/room/x/websocket", "Upgrade: websocket")
        assert refused.status == 426
        await _settle(port, 2 * len(rooms))
        found = await port.numbers()

    def rise(name: str) -> float:
        return found[name] - before.get(name, 0)

    assert rise("edgechat_messages_total") == said == 15
    assert rise("edgechat_deliveries_total") == 2 * said
    assert rise("edgechat_batches_total") >= said
    assert rise("edgechat_batches_total") >= rise("edgechat_turns_total")
    assert rise('edgechat_refusals_total{code="empty_message"}') == len(rooms) + 1
    assert rise('edgechat_refusals_total{code="message_too_long"}') == 1
    assert rise('edgechat_refusals_total{code="bad_frame"}') == 1
    assert rise('edgechat_refusals_total{code="id_conflict"}') == len(rooms)
    assert rise('edgechat_refusals_total{code="name_too_long"}') == 1
    assert rise('edgechat_refusals_total{code="rate_limited"}') == 0
    assert rise('edgechat_closes_total{code="1009"}') == 1
    assert rise('edgechat_connections_refused_total{reason="bad handshake"}') == 1
    assert found["edgechat_members"] == found["edgechat_websockets"] == len(wires)
    assert found["edgechat_rooms"] == len(rooms)
    assert rise("edgechat_rooms_started_total") == len(rooms)
    assert rise("edgechat_connections_accepted_total") == len(wires) + 5
    assert rise("edgechat_batches_unstored_total") == 0
    assert found["process_open_fds"] > 0
    assert found['edgechat_event_loop_lag_seconds_bucket{le="+Inf"}'] >= 0


async def test_followers_are_counted(tmp_path: Path, port: Port) -> None:
    """They are no members; what is written to them is delivered, and what waits for them waits."""
    async with with_metrics(tmp_path) as server:
        before = await port.numbers()
        alice = await join(server.port, "alice")
        quick = await follow(server)
        slow = await follow(server, receive_buffer=4_096)
        for n in range(3):
            await alice.say(f"m{n}")
        await quick.lines(3)
        found = await port.numbers()
        assert found["edgechat_followers"] - before["edgechat_followers"] == 2
        assert found["edgechat_members"] == 1
        deliveries = found["edgechat_deliveries_total"] - before["edgechat_deliveries_total"]
        assert deliveries == 3 * (1 + 2)
        said = 3
        with trio.fail_after(SOON):
            while not (await port.numbers())["edgechat_outbox_bytes"]:  # alice and quick read
                for _ in range(50):
                    said += 1
                    await alice.say("x" * 1_900)
                await alice.lines(said)
                await quick.lines(said)
        quick.close()
        slow.close()
        with trio.fail_after(SOON):
            while (await port.numbers())["edgechat_followers"] != before["edgechat_followers"]:
                pass
        assert (await port.numbers())["edgechat_outbox_bytes"] == 0


async def _settle(port: Port, members: int) -> None:
    """Until all who left are gone."""
    with trio.fail_after(SOON):
        while True:
            found = await port.numbers()
            if found["edgechat_websockets"] == found["edgechat_connections"] == members:
                return


async def test_what_is_refused_for_being_too_much(tmp_path: Path, port: Port) -> None:
    code = 'edgechat_refusals_total{code="rate_limited"}'
    async with with_metrics(tmp_path, message_interval=600.0, message_grace=0.0) as server:
        before = await port.numbers()
        alice = await join(server.port, "alice")
        for n in range(3):
            await alice.say(f"m{n}")
        await alice.until("code")
        await alice.until("code")
        found = await port.numbers()
    assert found[code] - before[code] == 2
    assert found["edgechat_limiters"] == 1


async def test_no_private_id_is_in_a_label(tmp_path: Path, port: Port) -> None:
    async with with_metrics(tmp_path) as server:
        id = (await server.ask("POST", "/api/room")).body.decode()
        await join(server.port, "alice", id)
        answer = await port.ask("GET /metrics HTTP/1.1\r\n\r\n")
    assert id not in answer.body.decode()
    assert not re.search("[0-9a-f]{20}", answer.body.decode())


async def test_the_public_port_has_no_metrics(tmp_path: Path, port: Port) -> None:
    async with with_metrics(tmp_path) as server:
        await port.find()
        assert (await server.get("/metrics")).status == 404
    async with serving(tmp_path) as server:
        assert (await server.get("/metrics")).status == 404


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /metrics HTTP/1.1", 200),
        ("GET /metrics?x=1 HTTP/1.1", 200),
        ("HEAD /metrics HTTP/1.1", 200),
        ("GET / HTTP/1.1", 404),
        ("GET /metrics/ HTTP/1.1", 404),
        ("POST / HTTP/1.1", 404),
        ("POST /metrics HTTP/1.1", 405),
        ("GET /" + "x" * 20_000 + " HTTP/1.1", 431),
        ("\x16\x03\x01", 400),
    ],
)
async def test_what_it_answers(tmp_path: Path, port: Port, request_line: str, status: int) -> None:
    async with with_metrics(tmp_path):
        answer = await port.ask(f"{request_line}\r\nHost: localhost\r\n\r\n")
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.headers.get("allow") == ("GET, HEAD" if status == 405 else None)
    if status >= 400:
        assert json.loads(answer.body).keys() == {"error", "code"}
    if request_line.startswith("HEAD"):
        assert answer.body == b""
        assert int(answer.headers["content-length"]) > 1_000
    else:
        assert len(answer.body) == int(answer.headers["content-length"])


async def test_a_head_that_does_not_come_is_not_waited_for(tmp_path: Path, port: Port) -> None:
    async with with_metrics(tmp_path, head_timeout=0.1):
        wire = await dial(await port.find())
        await wire.send(b"GET /met")
        with trio.fail_after(SOON):
            assert parse_answer(await wire.rest()).status == 408


async def test_many_who_say_nothing_keep_nobody_else_out(tmp_path: Path, port: Port) -> None:
    """A connection over the most is closed; the public port goes on."""
    async with with_metrics(tmp_path, head_timeout=SOON) as server:
        where = await port.find()
        silent = [await dial(where) for _ in range(16)]
        with trio.fail_after(SOON):
            assert await (await dial(where)).rest() == b""
        assert (await server.get("/livez")).status == 200
        silent.pop().close()
        with trio.fail_after(SOON):
            while not await _is_answered(where):
                pass


async def _is_answered(port: int) -> bool:
    wire = await dial(port)
    try:
        await wire.send(b"GET /metrics HTTP/1.1\r\n\r\n")
        return (await wire.rest()).startswith(b"HTTP/1.1 200 ")
    except trio.BrokenResourceError:
        return False


def test_it_is_off_by_default(tmp_path: Path) -> None:
    assert Settings().metrics_address == ""


async def test_they_are_there_while_the_server_stops(tmp_path: Path, port: Port) -> None:
    """It waits for a client that does not close, and can be watched meanwhile."""
    stop = trio.Event()
    patience: Any = {"close_timeout": SOON, "stop_timeout": SOON}
    settings = Settings(port=0, data=tmp_path, metrics_address="127.0.0.1:0", **patience)
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, settings, stop)
        stuck = await join(int(url.rstrip("/").rpartition(":")[2]), "alice")
        await port.find()
        stop.set()
        assert await stuck.close_code() == 1012
        assert (await port.numbers())["edgechat_websockets"] == 1
        stuck.close()


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    async with serving(tmp_path / "one") as server:
        taken = Settings(port=0, data=tmp_path / "two", metrics_address=f"127.0.0.1:{server.port}")
        with pytest.raises(ListenError, match=f"Can't listen on 127.0.0.1 port {server.port}: "):
            await serve(taken, trio.Event())
