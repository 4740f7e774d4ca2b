"""`docs/openapi.yaml` says what the server answers: all of it, and nothing else.

Each case is a request to a real server. Whatever is answered has to be in the document; and all
that is in the document has to be answered in some case.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from quart_trio import QuartTrio

from edgechat.http import assets, http_side, openapi
from edgechat.http.app import make_app
from edgechat.rooms.room import Room
from edgechat.settings import Settings
from tests.serving import files
from tests.serving.running import Answer, Running, exchange, let_in, parse_answer, serving
from tests.serving.talking import Broken
from tests.serving.wire import SOON, dial, join, upgrade

from .openapi import DOCUMENT, DOOR, PATH, Said, check, fits, operations, resolve, said

LOBBY = "/api/room/lobby"
TEXT, JSON = "Content-Type: text/plain", "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
SAY, SLACK = ("POST", f"{LOBBY}/messages"), ("POST", f"{LOBBY}/slack")
LONG = "x" * 33  # no room has such a name
BIG = "x" * 70_000
VERSION = assets.load_assets(()).version

Case = tuple[str, str, tuple[str, ...], str | bytes, int, str]


def case(
    method: str,
    target: str,
    status: int,
    code: str = "",
    *headers: str,
    body: str | bytes = "",
) -> Case:
    return method, target, headers, body, status, code


# On a server in which one line was said, "first" by "alice" under the id "one".
PLAIN: list[Case] = [
    case("GET", "/", 200),
    case("GET", "/room/lobby", 200),
    case("GET", "/room/lobby/", 308),
    case("GET", f"/assets/{VERSION}/main.js", 200),
    case("GET", f"/assets/{VERSION}/nothing.js", 404, "not_found"),
    case("GET", "/assets/x/main.js", 404, "not_found"),
    case("GET", "/client.js", 200),
    case("GET", "/client.d.ts", 200),
    case("GET", "/embed.js", 200),
    case("GET", "/sw.js", 200),
    case("GET", "/manifest.webmanifest", 200),
    case("GET", "/openapi.yaml", 200),
    case("GET", "/livez", 200),
    case("GET", "/readyz", 200),
    case("POST", "/api/room", 200),
    case("GET", LOBBY, 200),
    case("GET", f"/api/room/{LONG}", 404, "not_found"),
    case("GET", f"/api/room/{'ab' * 32}", 404, "not_found"),
    case("GET", f"{LOBBY}/history", 200),
    case("GET", f"{LOBBY}/history?q=first&limit=1", 200),
    case("GET", f"{LOBBY}/history?limit=-1", 400, "bad_request"),
    case("GET", f"{LOBBY}/history?q=%ff", 400, "bad_request"),
    case("GET", f"{LOBBY}/history?q=", 400, "bad_request"),
    case("GET", f"{LOBBY}/history?q=a&around=1", 400, "bad_request"),
    case("GET", f"/api/room/{LONG}/history", 404, "not_found"),
    case("GET", f"{LOBBY}/events?poll=1", 200),
    case("GET", f"{LOBBY}/events?poll=1", 200, "", "Accept: application/x-ndjson"),
    case("GET", f"{LOBBY}/events?since=soon", 400, "bad_request"),
    case("GET", f"{LOBBY}/events", 403, "origin_refused", "Origin: http://a.example"),
    case("GET", f"/api/room/{LONG}/events", 404, "not_found"),
    case(*SAY, 201, "", TEXT, body="hi"),
    case(*SAY, 201, "", JSON, body='{"name":"bob","message":"hi","id":"two"}'),
    case(*SAY, 201, "", FORM, body="name=bob&message=hi"),
    case(*SAY, 400, "bad_request", TEXT, body=b"\xff"),
    case(*SAY, 400, "bad_request", FORM, body="message=%ff"),
    case("POST", f"{LOBBY}/messages?name=%ff", 400, "bad_request", TEXT, body="hi"),
    case("POST", f"{LOBBY}/messages?name=a&name=b", 400, "bad_request", TEXT, body="hi"),
    case(*SAY, 400, "bad_frame", JSON, body="[]"),
    case(*SAY, 400, "bad_frame", "Idempotency-Key: a", JSON, body='{"message":"a","id":"b"}'),
    case("POST", f"{LOBBY}/messages?name=%01", 400, "bad_name", TEXT, body="hi"),
    case(*SAY, 400, "empty_message", TEXT, body=" "),
    case(*SAY, 400, "bad_message", TEXT, body="\x01"),
    case(*SAY, 403, "origin_refused", TEXT, "Origin: http://a.example", body="hi"),
    case("POST", f"/api/room/{LONG}/messages", 404, "not_found", TEXT, body="hi"),
    case("POST", f"/api/room/{'ab' * 32}/messages", 404, "not_found", TEXT, body="hi"),
    case(*SAY, 409, "id_conflict", "Idempotency-Key: one", TEXT, body="another"),
    case(*SAY, 413, "message_too_long", TEXT, body="x" * 2_001),
    case("POST", f"{LOBBY}/messages?name={LONG}", 413, "name_too_long", TEXT, body="hi"),
    case(*SAY, 413, "request_entity_too_large", TEXT, body=BIG),
    case(*SAY, 415, "unsupported_media_type", "Content-Type: image/png", body="hi"),
    case(*SAY, 415, "unsupported_media_type", f"{TEXT}; charset=utf-16", body="hi"),
    case(*SAY, 415, "unsupported_media_type", TEXT, "Content-Encoding: gzip", body="hi"),
    case(*SLACK, 200, "", JSON, body='{"text":"hi"}'),
    case(*SLACK, 200, "", FORM, body="payload=%7B%22text%22%3A%22hi%22%7D"),
    case(*SLACK, 400, "bad_request", JSON, body=b"\xff"),
    case(*SLACK, 400, "bad_frame", JSON, body="[]"),
    case(*SLACK, 400, "no_text", JSON, body="{}"),
    case(*SLACK, 403, "origin_refused", JSON, "Origin: http://a.example", body='{"text":"hi"}'),
    case("POST", f"/api/room/{LONG}/slack", 404, "not_found", JSON, body='{"text":"hi"}'),
    case(*SLACK, 409, "id_conflict", "Idempotency-Key: one", JSON, body='{"text":"another"}'),
    case(*SLACK, 413, "request_entity_too_large", JSON, body=BIG),
    case(*SLACK, 415, "unsupported_media_type", TEXT, body="hi"),
    case("GET", f"{LOBBY}/websocket", 400, "not_a_websocket"),
    case("GET", "/nothing", 404, "not_found"),
    case("GET", "/metrics", 404, "not_found"),
    case("GET", "/room/", 404, "not_found"),
    case("GET", f"{LOBBY}/", 404, "not_found"),
    case("GET", "/livez", 431, "request_header_fields_too_large", f"X: {BIG}"),
    case("GET", "/livez", 400, "bad_request", "Host: localhost"),
    case("GET", "/livez", 400, "bad_request", "X: a\x00b"),
    case("GET", "/livez", 400, "bad_request", "X@Y: a"),
    case("GET", "/caf\xe9", 400, "bad_request"),
    case(*SAY, 400, "bad_request", "Content-Length: x"),
    case(*SAY, 400, "bad_request", "Content-Length: 2", body="hi"),  # two of them
    case(*SAY, 501, "not_implemented", "Transfer-Encoding: gzip"),
]
DOORS = {
    ("/livez", "request_header_fields_too_large"),
    ("/livez", "bad_request"),
    ("/caf\xe9", "bad_request"),
}
# Every other method of every path.
PLAIN += [
    case(method, re.sub(r"\{\w+\}", "lobby", path), 405, "method_not_allowed")
    for path, item in DOCUMENT["paths"].items()
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "FOO")
    if method.lower() not in item
]
PLAIN += [case("OPTIONS", re.sub(r"\{\w+\}", "lobby", path), 204) for path in DOCUMENT["paths"]]
# HEAD is answered as GET is, without the body; what gets no further than the door has one.
PLAIN += [
    case("HEAD", target, status, "", *headers)
    for method, target, headers, _, status, code in PLAIN
    if method == "GET" and (target, code) not in DOORS
]

ROOM_READS = [LOBBY, f"{LOBBY}/history", f"{LOBBY}/events?poll=1"]
ROOM_POSTS = [(*SAY, TEXT, "hi"), (*SLACK, JSON, '{"text":"hi"}')]


class Witness:
    """Asks, holds each answer to the document, and remembers what was answered."""

    def __init__(self) -> None:
        self.seen: set[Said] = set()

    async def ask(self, server: Running, *one: Any) -> None:
        method, target, headers, body, status, code = one
        data = body.encode() if isinstance(body, str) else body
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
        if data:
            lines.append(f"Content-Length: {len(data)}")
        request = "\r\n".join([*lines, "", ""]).encode("latin-1") + data
        answer = await exchange(server.port, request)
        found = self.note(method, target, answer)
        assert answer.status == status, (one, answer)
        assert method == "HEAD" or found.code == code, (one, answer)
        if status == 405:
            assert method not in answer.headers["allow"].split(", ")
        if method == "HEAD":
            assert answer.body == b""

    def note(self, method: str, target: str, answer: Answer) -> Said:
        if method == "HEAD" and answer.status >= 400:
            return self._note_head(target, answer)
        found = check(method, target, answer)
        self.seen.add(found)
        return found

    def _note_head(self, target: str, answer: Answer) -> Said:
        """Of an error without its body only the status can be looked at."""
        for path, method, operation in operations():
            if method == "head" and str(answer.status) in operation["responses"]:
                pattern = re.sub(r"\{\w+\}", "[^/]+", path)
                if re.fullmatch(pattern, target.partition("?")[0]):
                    codes = [one.code for one in said() if one[:3] == (path, method, answer.status)]
                    for code in codes:
                        self.seen.add(Said(path, method, answer.status, code))
                    return Said(path, method, answer.status)
        assert str(answer.status) in DOCUMENT["components"]["responses"]["Door"]["x-codes"]
        return Said(DOOR, DOOR, answer.status)


@asynccontextmanager
async def a_server(folder: Path, **settings: Any) -> AsyncIterator[Running]:
    """With one line in its lobby."""
    lines = files.make_lines(1, ids=True)
    lines = files.rechained([lines[0].replace(b'"id":"c1"', b'"id":"one"')])
    files.write(folder / "rooms" / "public" / "lobby.jsonl", lines)
    async with serving(folder, **settings) as server:
        yield server


async def ask_plain(witness: Witness, folder: Path) -> None:
    async with a_server(folder) as server:
        for one in PLAIN:
            await witness.ask(server, *one)
        stored = [one for one in PLAIN if one[:2] in (SAY, SLACK) and one[4] in (200, 201)]
        assert len(server.lines()) == 1 + len(stored)  # what is refused changes nothing
        assert server.files() == {"lobby.jsonl"}
        follower = await dial(server.port)
        await follower.send(b"GET %b/events HTTP/1.0\r\n\r\n" % LOBBY.encode())
        with trio.fail_after(SOON):
            head = parse_answer(await follower.head() + b"\r\n\r\n")
        witness.note("GET", f"{LOBBY}/events", head)
        follower.close()


async def ask_for_websockets(witness: Witness, folder: Path) -> None:
    plain = upgrade("lobby")
    other = b"Origin: http://a.example\r\nHost: localhost"
    async with a_server(folder) as server:
        for request, status, code in (
            (plain, 101, ""),
            (plain.replace(b": 13", b": 12"), 400, "bad_request"),
            (plain.replace(b"Host: localhost", other), 403, "origin_refused"),
            (plain.replace(b"lobby", LONG.encode()), 404, "not_found"),
            (plain.replace(b"n: Upgrade", b"n: close"), 426, "upgrade_required"),
            (plain.replace(b"GET", b"POST"), 405, "method_not_allowed"),
        ):
            wire = await dial(server.port)
            with trio.fail_after(SOON):
                await wire.send(request)
                data = await wire.head() + b"\r\n\r\n"
                answer = parse_answer(data if status == 101 else data + await wire.rest())
            wire.close()
            target = f"{LOBBY if LONG.encode() not in request else '/api/room/' + LONG}/websocket"
            method = request.split(b" ")[0].decode()
            found = witness.note(method, target, answer)
            assert (answer.status, found.code) == (status, code), answer
            if status == 426:
                assert answer.headers["upgrade"] == "websocket"
            if status == 405:
                assert answer.headers["allow"] == "GET"


async def ask_too_often(witness: Witness, folder: Path) -> None:
    async with a_server(folder, message_interval=600.0, message_grace=0.0) as server:
        await witness.ask(server, *case(*SAY, 201, "", TEXT, body="hi"))
        for method, target, kind, body in ROOM_POSTS:
            await witness.ask(server, *case(method, target, 429, "rate_limited", kind, body=body))


async def ask_for_two_searches(
    witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = trio.Event(), trio.Event()
    wait_opened = Room.wait_opened

    async def late(room: Room) -> Any:
        begun.set()
        await go_on.wait()
        return await wait_opened(room)

    target = f"{LOBBY}/history?q=x"
    async with a_server(folder) as server, trio.open_nursery() as nursery:
        with monkeypatch.context() as patch:
            patch.setattr(Room, "wait_opened", late)
            nursery.start_soon(witness.ask, server, *case("GET", target, 200))
            await begun.wait()
            await witness.ask(server, *case("GET", target, 429, "rate_limited"))
            await witness.ask(server, *case("HEAD", f"{LOBBY}/history?q=x", 200))
            go_on.set()


async def ask_where_nothing_can_be_stored(
    witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_server(folder) as server:
        with monkeypatch.context() as patch:
            write = Broken(patch, "write")
            write.failing = True
            for method, target, kind, body in ROOM_POSTS:
                one = case(method, target, 503, "storage_unavailable", kind, body=body)
                await witness.ask(server, *one)
            await witness.ask(server, *case("GET", "/readyz", 503, "unavailable"))
            await witness.ask(server, *case("HEAD", "/readyz", 503))


async def ask_where_nothing_can_be_read(witness: Witness, folder: Path) -> None:
    async with a_server(folder) as server:
        server.file().write_bytes("no history".encode("utf-16"))
        for target in ROOM_READS:
            await witness.ask(server, *case("GET", target, 503, "storage_unavailable"))


async def ask_where_too_many_rooms_are_open(witness: Witness, folder: Path) -> None:
    async with a_server(folder, max_rooms=1) as server:
        await join(server.port, "alice", "another")
        for target in ROOM_READS:
            await witness.ask(server, *case("GET", target, 503, "unavailable"))
        for method, target, kind, body in ROOM_POSTS:
            await witness.ask(server, *case(method, target, 503, "unavailable", kind, body=body))


async def ask_slowly(witness: Witness, folder: Path) -> None:
    async with a_server(folder, head_timeout=0.1) as server:
        for method, target, kind, _ in [*ROOM_POSTS, ("GET", "/livez", "X: y", "")]:
            wire = await dial(server.port)
            head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\n"
            end = "Content-Length: 9\r\n\r\nhi" if method == "POST" else ""
            with trio.fail_after(SOON):
                await wire.send(f"{head}{end}".encode())
                answer = parse_answer(await wire.rest())
            assert answer.status == 408
            witness.note(method, target, answer)
            wire.close()


async def ask_at_the_door(witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_server(folder, public_hosts=("chat.example",)) as server:
        odd = b"GET /livez HTTP/%b\r\nHost: %b\r\n\r\n"
        witness.note("GET", "/livez", await exchange(server.port, odd % (b"1.1", b"a.example")))
        witness.note("GET", "/livez", await exchange(server.port, odd % (b"2.0", b"localhost")))
    async with a_server(folder, max_connections=1) as server:
        silent = await dial(server.port)
        await let_in(1)
        wire = await dial(server.port)  # one too many is told so, whatever it wants
        with trio.fail_after(SOON):
            answer = parse_answer(await wire.rest())
        assert answer.status == 429
        witness.note("GET", "/livez", answer)
        wire.close()
        silent.close()
    async with a_server(folder) as server:
        with monkeypatch.context() as patch:
            patch.delattr(Room, "wait_opened")
            await witness.ask(server, *case("GET", LOBBY, 500, "internal_server_error"))


async def ask_while_it_stops(witness: Witness, folder: Path) -> None:
    """It waits for a client that does not close, and answers others meanwhile."""
    patience = {"close_timeout": SOON, "last_call": SOON, "stop_timeout": SOON}
    async with a_server(folder, **patience) as server:
        stuck = await join(server.port, "alice")
        late = await dial(server.port)
        server.stopping.set()
        with trio.fail_after(SOON):
            assert await stuck.close_code() == 1012
            for method, target, kind, body in ROOM_POSTS:
                one = case(method, target, 503, "unavailable", kind, body=body)
                await witness.ask(server, *one)
            await witness.ask(server, *case("GET", "/readyz", 503, "unavailable"))
            await witness.ask(server, *case("GET", f"{LOBBY}/events", 503, "unavailable"))
            await late.send(upgrade("lobby"))
            answer = parse_answer(await late.rest())
        witness.note("GET", f"{LOBBY}/websocket", answer)
        assert answer.status == 503
        stuck.close()


async def test_all_that_it_says_is_answered_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    witness = Witness()
    await ask_plain(witness, tmp_path / "plain")
    await ask_for_websockets(witness, tmp_path / "websockets")
    await ask_too_often(witness, tmp_path / "often")
    await ask_for_two_searches(witness, tmp_path / "searches", monkeypatch)
    await ask_where_nothing_can_be_stored(witness, tmp_path / "store", monkeypatch)
    await ask_where_nothing_can_be_read(witness, tmp_path / "read")
    await ask_where_too_many_rooms_are_open(witness, tmp_path / "rooms")
    await ask_slowly(witness, tmp_path / "slow")
    await ask_at_the_door(witness, tmp_path / "door", monkeypatch)
    await ask_while_it_stops(witness, tmp_path / "stop")
    caplog.clear()  # one of them is a defect, on purpose
    # A body is never sent with HEAD: what GET shows is its, too.
    shown = {one for one in said() if one.method != "head" or one.status == 200}
    assert witness.seen - said() == set()
    assert shown - witness.seen == set()


def an_app() -> QuartTrio:
    """The app without what it serves."""
    files_of_the_page = assets.Assets(assets.find_web())
    nothing: Any = None
    return make_app(
        Settings(), files_of_the_page, nothing, nothing, nothing, nothing, nothing, nothing
    )


def test_every_route_is_in_it_and_no_other() -> None:
    routes: dict[str, set[str]] = {}
    for rule in an_app().url_map.iter_rules():
        path = re.sub(r"<(?:path:)?(\w+)>", r"{\1}", rule.rule)
        path = path.replace("/api/room/{text}", "/api/room/{room}")
        routes.setdefault(path, set()).update(method.lower() for method in rule.methods or ())
    for what in ("messages", "slack"):  # what is posted is served beside the app
        assert http_side.find_post(f"{LOBBY}/{what}") == ("lobby", what)
        routes[f"/api/room/{{room}}/{what}"] = {"post"}
    at_root = routes.pop("/{name}")
    for name in assets._AT_ROOT:
        routes[f"/{name}"] = at_root
    found = {
        path: {m for m in item if m in ("get", "head", "post")}
        for path, item in DOCUMENT["paths"].items()
    }
    assert {path: methods - {"options"} for path, methods in routes.items()} == found


def test_the_document_is_one_of_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations():
        item = DOCUMENT["paths"][path]
        given = [
            resolve(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
        ]
        in_path = {one["name"] for one in given if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(one.get("required") for one in given if one["in"] == "path")
        assert "default" in operation["responses"]
        for status, response in operation["responses"].items():
            assert status == "default" or 100 <= int(status) <= 599
            assert "description" in resolve(response)
    text = json.dumps(DOCUMENT)
    for target in set(re.findall(r'"\$ref": "([^"]+)"', text)):
        assert resolve({"$ref": target})
    for kind, parts in DOCUMENT["components"].items():
        for name in parts:
            assert f"#/components/{kind}/{name}" in text


async def test_it_is_served_as_it_is(server: Running) -> None:
    answer = await server.get("/openapi.yaml", "Origin: https://viewer.example")
    assert answer.body == PATH.read_bytes()
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert openapi._read() == answer.body


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1, {"type": "string"}),
        ("", {"minLength": 1}),
        ("x", {"pattern": "^y$"}),
        ({}, {"required": ["a"]}),
        ({"a": 1}, {"properties": {"a": {"type": "string"}}}),
        ({"a": 1}, {"properties": {}, "additionalProperties": False}),
        ([1], {"items": {"type": "string"}}),
        (1, {"minimum": 2}),
        ("a", {"enum": ["b"]}),
        ("a", {"allOf": [{"const": "b"}]}),
        ({}, {"$ref": "#/components/schemas/Error"}),
    ],
)
def test_what_does_not_fit_a_schema_is_found(value: Any, schema: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        fits(value, schema)
