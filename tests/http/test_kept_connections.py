"""A connection on which a message was posted may be asked again, where that is safe."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from edgechat.http.request_body import RequestBody
from edgechat.net import client_address
from edgechat.settings import Settings
from tests.serving.clock import HeldClock
from tests.serving.files import check
from tests.serving.running import (
    Answer,
    Running,
    bystander,
    exchange,
    parse_answer,
    serving,
)
from tests.serving.wire import SOON, Wire, dial, hello, upgrade

from .test_app import error

TARGET = "/api/room/lobby/messages"
JSON = "Content-Type: application/json"
LOOK = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def request(
    body: str = "hi",
    *headers: str,
    method: str = "POST",
    target: str = TARGET,
    version: str = "1.1",
    length: int | None = None,
) -> bytes:
    """With as many bytes as `length` says, whatever its body has."""
    size = len(body.encode()) if length is None else length
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *headers]
    return "\r\n".join([*lines, f"Content-Length: {size}", "", body]).encode()


async def heard(wire: Wire) -> Answer:
    """The next answer on a connection that may go on."""
    with trio.fail_after(SOON):
        answer = parse_answer(await wire.head())
        return answer._replace(body=await wire.take(int(answer.headers["content-length"])))


async def closed(wire: Wire) -> bool:
    """Whether nothing comes behind what was read, and the connection ends."""
    with trio.fail_after(SOON):
        return await wire.rest() == b""


def said(server: Running) -> list[str]:
    return [json.loads(line)["message"] for line in server.lines()]


async def test_one_after_the_other(server: Running) -> None:
    wire = await dial(server.port)
    for body in ("one", "two"):
        await wire.send(request(body))
        answer = await heard(wire)
        assert (answer.status, answer.headers["connection"]) == (201, "keep-alive")
        assert answer.headers["keep-alive"] == "timeout=5"
    assert said(server) == ["one", "two"]
    check(server.file())


async def test_what_comes_in_one_go_is_answered_in_order(server: Running) -> None:
    wire = await dial(server.port)
    refused = request("hi", method="GET") + request("hi", "Content-Type: image/png")
    slack = request('{"text":"two"}', JSON, target="/api/room/lobby/slack")
    await wire.send(request("one") + b"\r\n" + request("") + refused + slack + LOOK)
    answers = [await heard(wire) for _ in range(6)]
    assert [answer.status for answer in answers] == [201, 400, 405, 415, 200, 200]
    assert answers[-1].body == b"alive"
    assert await closed(wire)
    assert said(server) == ["one", "two"]


async def test_a_line_end_behind_a_body_is_passed_over(server: Running) -> None:
    wire = await dial(server.port)
    for piece in (b"\r\n", b"\r\n" + request("two"), b"\n"):
        await wire.send(request("one"))
        assert (await heard(wire)).status == 201
        await trio.testing.wait_all_tasks_blocked(0.02)
        await wire.send(piece)
        await trio.testing.wait_all_tasks_blocked(0.02)
        if b"two" in piece:
            assert (await heard(wire)).status == 201
    await wire.send(request("last"))
    assert (await heard(wire)).status == 201
    assert said(server) == ["one", "one", "two", "one", "last"]


async def test_a_head_and_a_body_in_pieces(server: Running) -> None:
    wire = await dial(server.port)
    for _ in range(2):
        for byte in request("slow"):
            await wire.send(bytes((byte,)))
        assert (await heard(wire)).status == 201
    assert said(server) == ["slow"] * 2


async def test_a_websocket_may_follow(server: Running) -> None:
    wire = await dial(server.port)
    await wire.send(request("one") + upgrade("lobby") + hello("alice"))
    assert (await heard(wire)).status == 201
    with trio.fail_after(SOON):
        assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
        assert (await wire.until("message"))["message"] == "one"
    assert (await exchange(server.port, request("two", "Connection: close"))).status == 201
    with trio.fail_after(SOON):
        await wire.until("message", "two")


CHUNKED = request("").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("hi", "Connection: close"), 201),
        (request("hi", "Connection: x, Close"), 201),
        (request(version="1.0"), 201),
        (request("hi", "Connection: keep-alive", version="1.0"), 201),
        (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", 201),
        (request("hi", "Content-Type: image/png", length=500), 415),
        (request("hi", target=f"/api/room/{'x' * 33}/messages", length=500), 404),
        (request("hi", length=70_000), 413),
        (request("hi", method="DELETE", length=500), 405),
        (request("hi", "Origin: http://elsewhere.example", length=500), 403),
    ],
)
async def test_it_ends_where_going_on_is_not_safe_or_not_wanted(
    server: Running, sent: bytes, status: int
) -> None:
    wire = await dial(server.port)
    await wire.send(sent + request("smuggled"))
    answer = await heard(wire)
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert await closed(wire)
    assert "smuggled" not in (said(server) if server.file().exists() else [])


async def test_head_and_options_have_no_body(server: Running) -> None:
    wire = await dial(server.port)
    await wire.send(request("", method="HEAD") + request("", method="OPTIONS"))
    with trio.fail_after(SOON):
        first = parse_answer(await wire.head())
        second = parse_answer(await wire.head())
    assert (first.status, first.headers["allow"]) == (405, "OPTIONS, POST")
    assert (second.status, second.headers["allow"]) == (204, "OPTIONS, POST")
    assert "content-length" not in second.headers


@pytest.mark.parametrize(
    "target",
    ["http://localhost/api/room/lobby/messages", "/api/room/l%6fbby/messag%65s?a#b?c"],
)
async def test_other_ways_to_write_the_address(server: Running, target: str) -> None:
    answer = await exchange(server.port, request("hi", "Connection: close", target=target))
    assert answer.status == 201
    assert said(server) == ["hi"]


@pytest.mark.parametrize(
    "target",
    [
        "/api/room//messages",
        "/api/room/lobby/messages/",
        "//api/room/lobby/messages",
        "/api/room/a%2fb/messages",
        "/api/room/lobby/messagess",
        "http://[/messages",
    ],
)
async def test_no_address_of_a_room(server: Running, target: str) -> None:
    answer = await exchange(server.port, request("hi", "Connection: close", target=target))
    assert (answer.status, error(answer.body)) in ((404, "not_found"), (400, "bad_request"))
    assert server.files() == set()


async def test_a_client_that_waits_to_be_told(server: Running) -> None:
    whole = request("hello", "Expect: 100-Continue")
    head, body = whole[:-5], whole[-5:]
    wire = await dial(server.port)
    for _ in range(2):
        await wire.send(head)
        with trio.fail_after(SOON):
            assert await wire.head() == b"HTTP/1.1 100 Continue"
        await wire.send(body)
        assert (await heard(wire)).status == 201
    await wire.send(request("x" * 10, "Expect: 100-continue", "Content-Type: image/png")[:-10])
    assert (await heard(wire)).status == 415  # it is not told to send what nobody wants
    assert said(server) == ["hello"] * 2


async def test_a_client_that_says_no_more_is_answered(server: Running) -> None:
    wire = await dial(server.port)
    await wire.send(request("one") + request("two"))
    await wire.half_close()
    assert [(await heard(wire)).status for _ in range(2)] == [201, 201]
    assert await closed(wire)


async def test_a_body_that_ends_too_early(server: Running) -> None:
    for whole in (request("half", length=8), CHUNKED + b"9\r\nhalf"):
        wire = await dial(server.port)
        await wire.send(whole)
        await wire.half_close()
        answer = await heard(wire)
        assert (answer.status, error(answer.body)) == (400, "bad_request")
    assert server.files() == set()


async def test_a_client_that_is_gone_in_the_middle_of_a_body_is_no_defect(server: Running) -> None:
    for whole in (request("half", length=8), CHUNKED + b"9\r\nhalf"):
        wire = await dial(server.port)
        await wire.send(whole)
        await trio.testing.wait_all_tasks_blocked(0.02)
        wire.reset()
    await trio.testing.wait_all_tasks_blocked(0.02)
    assert (await exchange(server.port, request("hi", "Connection: close"))).status == 201
    assert said(server) == ["hi"]


async def test_bodies_that_take_too_long(
    tmp_path: Path, held_clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = trio.Event()
    read = RequestBody.read

    async def noted(body: RequestBody) -> bytes:
        begun.set()
        return await read(body)

    monkeypatch.setattr(RequestBody, "read", noted)
    async with serving(tmp_path, body_pieces=3) as server:
        wire = await dial(server.port)
        await wire.send(request("half", length=8))
        await begun.wait()
        held_clock.move(Settings().head_timeout)
        answer = await heard(wire)
        assert (answer.status, error(answer.body)) == (408, "request_timeout")
        crumbs = b"".join(b"1\r\nx\r\n" for _ in range(9)) + b"0\r\n\r\n"
        answer = await exchange(server.port, CHUNKED + crumbs)
        assert (answer.status, error(answer.body)) == (413, "request_entity_too_large")
        assert server.files() == set()


async def test_a_length_in_crumbs(tmp_path: Path) -> None:
    async with serving(tmp_path, body_pieces=3) as server:
        wire = await dial(server.port)
        await wire.send(request("", length=900))
        with trio.fail_after(SOON):
            try:
                for _ in range(100):
                    await wire.send(b"x")
                    await trio.testing.wait_all_tasks_blocked(0.001)
            except trio.BrokenResourceError:
                pass  # it was answered
        answer = await heard(wire)
        assert (answer.status, error(answer.body)) == (413, "request_entity_too_large")


async def test_a_silent_connection_ends(tmp_path: Path) -> None:
    async with serving(tmp_path, keep_alive=1) as server, bystander(server) as talk:
        wire = await dial(server.port)
        await wire.send(request())
        assert (await heard(wire)).headers["keep-alive"] == "timeout=1"
        assert await closed(wire)
        await talk.hear("hi")


async def test_a_stop_waits_for_no_next_request(tmp_path: Path) -> None:
    async with serving(tmp_path, keep_alive=60) as server:
        wire = await dial(server.port)
        await wire.send(request())
        assert (await heard(wire)).status == 201
        server.stopping.set()
        assert await closed(wire)


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Running]:
    """The peer is a proxy; an address may open three connections a minute, two at once."""
    limits = {"max_opened_per_minute": 3, "max_connections_per_address": 2}
    async with serving(tmp_path, trusted_proxies=("127.0.0.1",), **limits) as server:
        yield server


def of(client: int, body: str = "hi") -> bytes:
    return request(body, f"X-Forwarded-For: 203.0.113.{client}")


async def test_each_request_counts_like_a_connection(proxied: Running) -> None:
    wire = await dial(proxied.port)
    for body in ("one", "two", "three"):
        await wire.send(of(1, body))
        assert (await heard(wire)).status == 201
    await wire.send(of(1, "four"))
    answer = await heard(wire)
    assert (answer.status, error(answer.body)) == (429, "too_many_requests")
    assert await closed(wire)
    assert said(proxied) == ["one", "two", "three"]


async def test_so_does_each_of_an_address_without_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_address, "is_loopback", lambda peer: peer == "127.0.0.1")
    async with serving(tmp_path, hosts=("0.0.0.0",), max_opened_per_minute=3) as server:
        wire = await dial(server.port, source="127.0.0.2")
        statuses = []
        for body in ("one", "two", "three", "four"):
            await wire.send(request(body))
            statuses.append((await heard(wire)).status)
        assert statuses == [201, 201, 201, 429]
        assert await closed(wire)
        assert said(server) == ["one", "two", "three"]


async def test_a_proxys_connection_counts_for_whom_it_asks_last(proxied: Running) -> None:
    wires = [await dial(proxied.port) for _ in range(3)]
    for client, wire in enumerate(wires, 1):  # each of another client, then two of one
        await wire.send(of(client))
        assert (await heard(wire)).status == 201
    for wire, status in zip(wires, (201, 201, 429), strict=True):
        await wire.send(of(9))
        assert (await heard(wire)).status == status
    wires[0].close()
    late = await dial(proxied.port)
    await late.send(of(9))
    assert (await heard(late)).status == 201


async def test_with_workers_each_request_has_a_connection(tmp_path: Path) -> None:
    """The next one could be for a room that another worker has."""
    async with serving(tmp_path, workers=2) as server:
        wire = await dial(server.port)
        await wire.send(request("one") + request("two"))
        answer = await heard(wire)
        assert (answer.status, answer.headers["connection"]) == (201, "close")
        assert await closed(wire)
        assert said(server) == ["one"]
