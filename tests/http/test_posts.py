"""Messages that come by HTTP: `POST /api/room/<r>/messages`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import trio

from edgechat.server import _Server
from tests.serving.files import check
from tests.serving.running import Answer, Running, exchange, serving
from tests.serving.talking import Broken, said
from tests.serving.wire import SOON, dial, hello, join, upgrade

from .test_app import error

TARGET = "/api/room/lobby/messages"
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
TEXT = "Content-Type: text/plain; charset=utf-8"


async def post(server: Running, body: bytes | str, *headers: str, target: str = TARGET) -> Answer:
    data = body.encode() if isinstance(body, str) else body
    return await server.ask("POST", target, *headers, body=data)


def brief(answer: Answer) -> str:
    """What was stored, as `name: message #id`; or the refusal, as `status code`."""
    if answer.status != 201:
        return f"{answer.status} {error(answer.body)}"
    line = json.loads(answer.body)
    return f"{line['name']}: {line['message']}" + (f" #{line['id']}" if "id" in line else "")


async def test_the_answer_is_the_stored_line_and_where_it_is(server: Running) -> None:
    alice = await join(server.port, "alice")
    answer = await post(server, "deploy done", TEXT, target=f"{TARGET}?name=ci")
    with trio.fail_after(SOON):
        heard = await alice.frame()
    assert (answer.status, answer.headers["content-type"]) == (201, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert [answer.body] == [heard[1]] == server.lines()
    place = urljoin(TARGET, answer.headers["location"])
    assert (await server.get(place)).body == answer.body + b"\n"
    check(server.stored())


@pytest.mark.parametrize(
    ("kind", "query", "body", "stored"),
    [
        (TEXT, "", "hi", "anonymous: hi"),
        (TEXT, "?name=ci&id=a1", "hi", "ci: hi #a1"),
        (TEXT, "", "two\r\nlines\n", "anonymous: two\nlines"),
        ("X-No-Type: 1", "?name=ci", "hi", "ci: hi"),
        ("Idempotency-Key: k1", "", "hi", "anonymous: hi #k1"),
        ('Idempotency-Key: "k1"', "?id=k1", "hi", "anonymous: hi #k1"),
        (JSON, "", '{"name":"ci","message":"hi","id":"a1"}', "ci: hi #a1"),
        (JSON, "?name=ci", '{"message":"h\\u00e9"}', "ci: hé"),
        (JSON, "?name=other", '{"name":"ci","message":"hi","more":1}', "ci: hi"),
        (FORM, "", "name=ci&message=a+%C3%A9%0D%0Ab&id=a1&send=Send", "ci: a é\nb #a1"),
        (FORM, "?name=ci", "message=deploy done", "ci: deploy done"),
        (FORM, "?name=ci", "deploy done: 100% of 1+1", "ci: deploy done: 100% of 1+1"),
        (FORM, "?name=ci", "a=b", "ci: a=b"),
    ],
)
async def test_each_form_of_a_body(
    server: Running, kind: str, query: str, body: str, stored: str
) -> None:
    assert brief(await post(server, body, kind, target=TARGET + query)) == stored


@pytest.mark.parametrize(
    ("kind", "query", "body", "refusal"),
    [
        (TEXT, "", "x" * 2_001, "413 message_too_long"),
        (TEXT, "", "", "400 empty_message"),
        (TEXT, "", " \n", "400 empty_message"),
        (TEXT, "", "\x07", "400 bad_message"),
        (TEXT, "", b"caf\xe9", "400 bad_request"),
        (TEXT, "?name=" + "x" * 33, "hi", "413 name_too_long"),
        (TEXT, "?name=%20", "hi", "400 bad_name"),
        (TEXT, "?name=%E2%80%AE", "hi", "400 bad_name"),
        (TEXT, "?name=a&name=b", "hi", "400 bad_request"),
        (TEXT, "?id=" + "x" * 65, "hi", "400 bad_frame"),
        ("Idempotency-Key: a", "?id=b", "hi", "400 bad_frame"),
        ("Idempotency-Key: a\r\nIdempotency-Key: a", "", "hi", "400 bad_request"),
        ('Idempotency-Key: ""', "", "hi", "400 bad_frame"),
        ("Idempotency-Key:", "", "hi", "400 bad_frame"),
        (TEXT + "\r\n" + TEXT, "", "hi", "415 unsupported_media_type"),
        (JSON, "", "{", "400 bad_frame"),
        (JSON, "", "[]", "400 bad_frame"),
        (JSON, "", '{"name":"ci"}', "400 bad_frame"),
        (JSON, "", '{"message":1}', "400 bad_frame"),
        (JSON, "", '{"message":"a","message":"b"}', "400 bad_frame"),
        (JSON, "", '{"message":"a","id":""}', "400 bad_frame"),
        (JSON, "", '{"message":"\\ud800"}', "400 bad_frame"),
        (JSON, "", b'{"message":"\xff"}', "400 bad_request"),
        (JSON, "", "[" * 10_000, "400 bad_frame"),
        (FORM, "", "message=a&message=b", "400 bad_request"),
        (FORM, "", "message=%FF", "400 bad_request"),
        (FORM, "", "&".join(f"f{n}=" for n in range(101)), "400 bad_request"),
        ("Content-Type: image/png", "", "hi", "415 unsupported_media_type"),
        ("Content-Type: multipart/form-data; boundary=x", "", "hi", "415 unsupported_media_type"),
        ("Content-Type: text/plain; charset=latin-1", "", "hi", "415 unsupported_media_type"),
        ("Content-Encoding: gzip", "", "hi", "415 unsupported_media_type"),
        (TEXT, "", "x" * 70_000, "413 request_entity_too_large"),
        ("Origin: http://elsewhere.example", "", "hi", "403 origin_refused"),
        ("Origin: null", "", "hi", "403 origin_refused"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    server: Running, kind: str, query: str, body: bytes | str, refusal: str
) -> None:
    answer = await post(server, body, kind, target=TARGET + query)
    assert brief(answer) == refusal
    assert answer.headers["content-type"] == "application/json"
    assert server.files() == set()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
async def test_nothing_but_a_post_says_anything(server: Running, method: str) -> None:
    answer = await server.ask(method, f"{TARGET}?name=ci&message=hi", body=b"hi")
    assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert server.files() == set()


async def test_a_body_in_pieces(server: Running) -> None:
    head = (
        f"POST {TARGET} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    answer = await exchange(server.port, head + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
    assert brief(answer) == "anonymous: hello"
    large = b"".join(b"1000\r\n" + b"x" * 4_096 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
    assert brief(await exchange(server.port, head + large)) == "413 request_entity_too_large"
    assert len(server.lines()) == 1


async def test_many_at_once_are_stored_once_each(server: Running) -> None:
    answers: list[Answer] = []

    async def say(number: int) -> None:
        answers.append(await post(server, f"{number}", f"Idempotency-Key: k{number % 20}"))

    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(say, number)
                nursery.start_soon(say, number)
    assert [answer.status for answer in answers] == [201] * 40
    assert sorted(answer.body for answer in answers) == sorted(2 * server.lines())
    assert len(check(server.stored())) == 20


async def test_a_room_that_can_not_be(server: Running) -> None:
    answers = [
        await post(server, "hi", target=f"/api/room/{name}/messages")
        for name in ("x" * 33, "ab" * 32)
    ]
    assert [brief(answer) for answer in answers] == ["404 not_found"] * 2
    assert answers[0].body == answers[1].body
    assert server.files() == set()


async def test_a_private_room(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    id = (await server.ask("POST", "/api/room")).body.decode()
    answer = await post(server, "psst", target=f"/api/room/{id}/messages")
    assert brief(answer) == "anonymous: psst"
    assert id not in caplog.text
    assert id not in answer.headers["location"]


async def test_an_id_is_stored_once_whichever_way_it_comes(server: Running) -> None:
    alice = await join(server.port, "alice")
    first = await post(server, "hi", target=f"{TARGET}?name=alice&id=a1")
    again = await post(server, '{"name":"alice","message":"hi","id":"a1"}', JSON)
    assert (again.status, again.body) == (201, first.body)
    assert (await said(alice, "hi", id="a1"))["seq"] == 1
    for body in ("other", "hi"):
        conflict = await post(server, body, "Idempotency-Key: a1", target=f"{TARGET}?name=bob")
        assert brief(conflict) == "409 id_conflict"
    assert len(server.lines()) == 1


async def test_an_id_is_known_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        first = await post(server, "hi", "Idempotency-Key: a1")
    async with serving(tmp_path) as server:
        assert (await post(server, "hi", "Idempotency-Key: a1")).body == first.body
        assert server.lines() == [first.body]


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Running]:
    """A server that lets an address say two messages, and trusts the peer to be a proxy."""
    limits = {"message_interval": 60.0, "message_grace": 60.0}
    async with serving(tmp_path, trusted_proxies=("127.0.0.1",), **limits) as server:
        yield server


async def test_an_allowance_is_one_for_all_ways_and_rooms(strict: Running) -> None:
    wire = await dial(strict.port)
    await wire.send(upgrade("lobby", b"X-Forwarded-For: 203.0.113.1"))
    await wire.head()
    await wire.send(hello("alice"))
    with trio.fail_after(SOON):
        await wire.until("ready")
        assert (await said(wire, "one"))["seq"] == 1
    other = "/api/room/other/messages"
    me = "X-Forwarded-For: 198.51.100.9, 203.0.113.1"
    assert (await post(strict, "two", me, target=other)).status == 201
    refused = await post(strict, "three", me)
    assert brief(refused) == "429 rate_limited"
    assert 59 <= int(refused.headers["retry-after"]) <= 60
    with trio.fail_after(SOON):
        assert (await said(wire, "four"))["code"] == "rate_limited"
    assert (await post(strict, "five", "X-Forwarded-For: 203.0.113.2")).status == 201
    spoof = "Remote-Addr: 203.0.113.3"
    assert (await post(strict, "six", spoof, me)).status == 429
    assert len(strict.lines()) == 2


async def test_what_is_refused_costs_nothing(strict: Running) -> None:
    for body in ("", "\x07", "x" * 2_001):
        assert (await post(strict, body)).status in (400, 413)
    first = await post(strict, "one", "Idempotency-Key: a")
    assert (await post(strict, "one", "Idempotency-Key: a")).body == first.body
    assert (await post(strict, "two")).status == 201
    assert (await post(strict, "three")).status == 429


async def test_a_disk_that_is_full(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await post(server, "one")).status == 201
    write = Broken(monkeypatch, "write")
    write.failing = True
    refused = await post(server, "two", "Idempotency-Key: a")
    assert brief(refused) == "503 storage_unavailable"
    write.failing = False
    assert (await post(server, "two", "Idempotency-Key: a")).status == 201
    assert [message["message"] for message in check(server.stored())] == ["one", "two"]


async def test_a_server_that_stops_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Server, "_is_open", lambda self: False)
    async with serving(tmp_path) as server:
        assert brief(await post(server, "hi")) == "503 unavailable"
        assert server.files() == set()


async def test_a_page_of_an_allowed_site_may_post(tmp_path: Path) -> None:
    site = "https://friend.example"
    async with serving(tmp_path, allowed_origins=(site,)) as server:
        preflight = await server.ask(
            "OPTIONS", TARGET, f"Origin: {site}", "Access-Control-Request-Method: POST"
        )
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-origin"] == site
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]
        answer = await post(server, "hi", f"Origin: {site}")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (201, site)
        assert "Location" in answer.headers["access-control-expose-headers"]
        empty = await post(server, "", f"Origin: {site}")
        assert (empty.status, empty.headers["access-control-allow-origin"]) == (400, site)
        for origin in ("https://enemy.example", "null"):
            told = await server.ask("OPTIONS", TARGET, f"Origin: {origin}")
            refused = await post(server, "hi", f"Origin: {origin}")
            assert refused.status == 403
            for one in (told, refused, await server.get("/api/room/lobby", f"Origin: {origin}")):
                assert "access-control-allow-origin" not in one.headers
                assert one.headers["vary"] == "Origin"
        own = await post(server, "hi", "Origin: http://localhost")  # the tests' Host
        assert own.status == 201
        assert len(server.lines()) == 2
