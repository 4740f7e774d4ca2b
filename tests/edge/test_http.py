from __future__ import annotations

import gzip
import json
import re
import stat
from pathlib import Path

import pytest
import trio

from edgechat.tasks.room import Room

from .running import Bystander, Running, bystander, eventually, open_files, serving
from .wire import SOON, dial, join, say, upgrade

LINES = 2_500
TEXT = "x" * 400


def error(body: bytes) -> str:
    """The code in an error's JSON, which has words for people too."""
    answer = json.loads(body)
    assert set(answer) == {"error", "code"}
    assert answer["error"]
    return str(answer["code"])


async def test_the_page(server: Running) -> None:
    page = await server.get("/")
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy.split("; ")
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "server" not in page.headers
    assert b"{{" not in page.body


async def test_each_of_the_pages_files(server: Running) -> None:
    page = await server.get("/")
    assert b'<base href="./">' in page.body
    addresses = re.findall(rb'(?:href|src)="(assets/[^"]+)"', page.body)
    assert len(addresses) >= 2
    for address in addresses:
        file = await server.get(f"/{address.decode()}")
        assert (file.status, bool(file.body)) == (200, True), address
        assert "immutable" in file.headers["cache-control"]


async def test_a_file_comes_compressed_to_who_can_read_it(server: Running) -> None:
    plain = await server.get("/")
    packed = await server.get("/", "Accept-Encoding: br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body


async def test_a_rooms_page_finds_its_files_from_where_it_is(server: Running) -> None:
    page, room = await server.get("/"), await server.get("/room/lobby")
    assert room.body == page.body.replace(b'<base href="./">', b'<base href="../">')


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/assets/x/../../pyproject.toml", 404, "not_found"),
        ("GET", "/assets/x/%2e%2e/%2e%2e/pyproject.toml", 404, "not_found"),
        ("GET", "/assets/x//etc/passwd", 404, "not_found"),
        ("GET", "/api/room/" + "x" * 33, 404, "not_found"),
        ("GET", "/api/room/" + "ab" * 32, 404, "not_found"),
        ("GET", "/api/room/a%2f..%2fb", 404, "not_found"),
        ("GET", "/api/room/%00/history", 404, "not_found"),
        ("GET", "/api/room/%ff", 404, "not_found"),
        ("GET", "/api/room/lobby/websocket", 400, "not_a_websocket"),
        ("GET", "/api/room/lobby/history?limit=x", 400, "bad_request"),
        ("GET", "/api/room/lobby/history?before=-1", 400, "bad_request"),
        ("GET", "/api/room/lobby/history?after=" + "9" * 16, 400, "bad_request"),
        ("GET", "/api/room/lobby/history?around=%D9%A1", 400, "bad_request"),
        ("POST", "/", 405, "method_not_allowed"),
        ("DELETE", "/api/room", 405, "method_not_allowed"),
    ],
)
async def test_errors_are_json(
    server: Running, method: str, target: str, status: int, code: str
) -> None:
    answer = await server.ask(method, target)
    assert (answer.status, error(answer.body)) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert server.files() == set()


async def test_a_private_room(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    made = await server.ask("POST", "/api/room", "Origin: http://elsewhere.example")
    id = made.body.decode()
    assert made.status == 200
    assert re.fullmatch("[0-9a-f]{64}", id)
    assert made.headers["content-type"].startswith("text/plain")
    assert made.headers["access-control-allow-origin"] == "*"
    assert (await server.ask("POST", "/api/room")).body.decode() != id
    assert (await server.get(f"/api/room/{id}")).status == 200
    assert server.files() == set()
    alice = await join(server.port, "alice", id)
    with trio.fail_after(SOON):
        await alice.say("psst")
        await alice.until("seq")
    file = server.data / "rooms" / "private" / f"{id}.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await server.get(f"/api/room/{id}/history")).body.splitlines() == (
        file.read_bytes().splitlines()[1:]
    )
    assert id not in caplog.text


async def test_another_servers_id_is_like_a_name_that_can_not_be(server: Running) -> None:
    id = (await server.ask("POST", "/api/room")).body.decode()
    forged = id[:-1] + ("0" if id[-1] != "0" else "1")
    long = await server.get("/api/room/" + "x" * 33)
    for target in (f"/api/room/{forged}", f"/api/room/{forged}/history"):
        answer = await server.get(target)
        assert (answer.status, answer.body) == (long.status, long.body)
    wire = await dial(server.port)
    await wire.send(upgrade(forged))
    with trio.fail_after(SOON):
        assert (await wire.rest()).startswith(b"HTTP/1.1 404 ")
    assert server.files() == set()


async def test_what_a_room_is(server: Running, bystanders: Bystander) -> None:
    empty = json.loads((await server.get("/api/room/Empty_Room")).body)
    assert empty == {"room": "empty-room", "seq": 0, "h": "0" * 16, "members": 0}
    lobby = json.loads((await server.get("/api/room/lobby")).body)
    last = json.loads(server.lines()[-1])
    assert lobby == {"room": "lobby", "seq": last["seq"], "h": last["h"], "members": 2}
    assert server.files() == {"lobby.jsonl"}


async def test_history_pages_are_the_files_lines_byte_for_byte(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, bystander(server, "elsewhere") as talk:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.send(b"".join(say(f"{n} é \u2028 {TEXT}") for n in range(LINES)))
            await alice.lines(LINES)
        await _read_pages(server, server.lines())
        await talk.goes_on()


async def _read_pages(server: Running, lines: list[bytes]) -> None:
    last = len(lines)
    for query, start, end, more in [
        ("", last - 100, last, True),
        ("limit=7", last - 7, last, True),
        (f"before={last + 1}&limit=3", last - 3, last, True),
        (f"before={last + 99}&limit=3", last - 3, last, True),
        ("before=51&limit=50", 0, 50, False),
        ("before=51&limit=49", 1, 50, True),
        ("before=52&limit=50", 1, 51, True),
        ("before=1", 0, 0, False),
        ("before=0", 0, 0, False),
        ("after=0&limit=2", 0, 2, True),
        (f"after={last - 2}", last - 2, last, False),
        (f"after={last - 101}", last - 101, last - 1, True),
        (f"after={last}", 0, 0, False),
        (f"after={last + 99}", 0, 0, False),
        ("around=1000&limit=11", 994, 1005, True),
        ("around=1&limit=3", 0, 3, True),
        (f"around={last}&limit=10", last - 6, last, True),
        ("limit=0&after=5", 5, 6, True),
        ("after=1200&limit=400", 1200, 1600, True),
        ("before=1700&limit=400", 1299, 1699, True),
    ]:
        page = await server.get(f"/api/room/lobby/history?{query}")
        assert page.headers["content-type"].startswith("application/x-ndjson")
        assert page.body == b"".join(line + b"\n" for line in lines[start:end]), query
        assert page.headers["edgechat-more"] == ("true" if more else "false"), query


async def test_all_of_a_history_in_pages_of_any_size(tmp_path: Path) -> None:
    async with serving(tmp_path, page_bytes=20_000) as server:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.send(b"".join(say(f"{n} {TEXT * (n % 5)}") for n in range(300)))
            await alice.lines(300)
        for direction, start in (("after", 0), ("before", 301)):
            found: list[bytes] = []
            place, more = start, "true"
            while more == "true":
                page = await server.get(f"/api/room/lobby/history?{direction}={place}&limit=1000")
                assert len(page.body) < 25_000
                lines, more = page.body.splitlines(), page.headers["edgechat-more"]
                found = found + lines if direction == "after" else lines + found
                place = json.loads(lines[-1 if direction == "after" else 0])["seq"]
            assert found == server.lines()


async def test_many_read_long_pages_and_the_room_goes_on(
    server: Running, bystanders: Bystander
) -> None:
    alice = await join(server.port, "alice")
    with trio.fail_after(SOON):
        await alice.send(b"".join(say(f"{n} {TEXT}") for n in range(1_000)))
        await alice.lines(1_001)
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(server.get, "/api/room/lobby/history?limit=1000")
            await bystanders.goes_on()
            await bystanders.goes_on()


async def test_health(server: Running) -> None:
    for target, body in (("/livez", b"alive"), ("/readyz", b"ready")):
        answer = await server.get(target)
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("times", [1, 2])
async def test_a_client_that_reads_no_page_is_let_go(tmp_path: Path, times: int) -> None:
    async with serving(tmp_path, stall_timeout=0.2) as server, bystander(server) as talk:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.send(b"".join(say(f"{n} {TEXT}") for n in range(600)))
            await alice.lines(600)
        files = open_files()
        lazy = [await dial(server.port, receive_buffer=2_048) for _ in range(5)]
        for wire in lazy:
            await wire.send(
                b"GET /api/room/lobby/history?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n" * times
            )
        await talk.goes_on()
        await eventually(lambda: open_files() <= files + len(lazy))  # ours are still open


async def test_a_defect_of_the_app_tells_nothing(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Room) -> None:
        raise RuntimeError("secret")

    id = (await server.ask("POST", "/api/room")).body.decode()
    monkeypatch.setattr(Room, "wait_opened", broken)
    answer = await server.get(f"/api/room/{id}")
    assert answer.status == 500
    assert error(answer.body) == "internal_server_error"
    assert b"secret" not in answer.body
    assert "Traceback" in caplog.text
    assert id not in caplog.text
    caplog.clear()


async def test_a_room_is_open_while_its_page_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path, room_idle=0.0) as server:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.say("hi")
            await alice.until("seq")
        alice.close()
        for _ in range(50):
            page = await server.get("/api/room/lobby/history")
            assert page.body.splitlines() == server.lines()
