from __future__ import annotations

import gzip
import json
import re
import stat
from pathlib import Path

import pytest
import trio

from edgechat.rooms.defects import statistics
from edgechat.rooms.room import Room
from tests.serving.running import Bystander, Running, serving
from tests.serving.wire import SOON, dial, hello, join, open_wire, upgrade

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


async def test_another_site_may_show_the_page_in_a_frame(tmp_path: Path) -> None:
    allowed = ("https://a.example", "https://b.example")
    async with serving(tmp_path, frame_ancestors=allowed) as server:
        policy = (await server.get("/room/lobby?embed=1")).headers["content-security-policy"]
    assert "frame-ancestors https://a.example https://b.example" in policy.split("; ")


async def test_what_other_sites_load(tmp_path: Path) -> None:
    friend, stranger = "https://friend.example", "https://stranger.example"
    async with serving(
        tmp_path, allowed_origins=(friend,), frame_ancestors=("https://frame.example",)
    ) as server:
        client = await server.get("/client.js")
        found = re.search(rb'from "\./(assets/[^"]+)"', client.body)
        assert found
        module = f"/{found[1].decode()}"
        for target, kind in (
            ("/client.js", "text/javascript"),
            (module, "text/javascript"),
            ("/client.d.ts", "application/typescript"),
        ):
            for origin, allowed in ((friend, friend), (stranger, None)):
                answer = await server.get(target, f"Origin: {origin}")
                assert answer.status == 200, target
                assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
                assert answer.headers.get("access-control-allow-origin") == allowed
                assert "Origin" in answer.headers["vary"]
        embed = await server.get("/embed.js", f"Origin: {stranger}")
        assert embed.headers["access-control-allow-origin"] == "*"
        assert b'"https://frame.example"' in embed.body
        for name in ("client.js", "client.d.ts", "embed.js", "types.d.ts"):
            assert (await server.get(f"{module.rpartition('/')[0]}/{name}")).status == 404


async def test_each_of_the_pages_files(server: Running) -> None:
    page = await server.get("/")
    assert b'<base href="./">' in page.body
    addresses = re.findall(rb'(?:href|src)="(assets/[^"]+)"', page.body)
    assert len(addresses) >= 2
    for address in addresses:
        file = await server.get(f"/{address.decode()}")
        assert (file.status, bool(file.body)) == (200, True), address
        assert "immutable" in file.headers["cache-control"]


async def test_a_file_of_another_version_is_not_there(server: Running) -> None:
    """A tab from before an upgrade must not get a mix of two versions."""
    answer = await server.get("/assets/0123456789abcdef/main.js")
    assert (answer.status, error(answer.body)) == (404, "not_found")
    assert b"EdgeChat was updated: reload the page." in answer.body
    nothing = await server.get("/assets/0123456789abcdef/nothing.js")
    assert b"updated" not in nothing.body


async def test_a_join_is_told_the_version_of_the_page(server: Running) -> None:
    page = (await server.get("/")).body.decode()
    wire = await open_wire(server.port)
    await wire.send(hello("ada"))
    with trio.fail_after(SOON):
        ready = await wire.until("ready")
    assert f"assets/{ready['web']}/main.js" in page


async def test_a_file_comes_compressed_to_who_can_read_it(server: Running) -> None:
    plain = await server.get("/")
    packed = await server.get("/", "Accept-Encoding: br", "Accept-Encoding: gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    refused = await server.get("/", "Accept-Encoding: gzip;q=0")
    assert (refused.body, "content-encoding" in refused.headers) == (plain.body, False)


async def test_a_rooms_page_finds_its_files_from_where_it_is(server: Running) -> None:
    page, room = await server.get("/"), await server.get("/room/lobby")
    preload = re.compile(rb'<link rel="modulepreload" href="[^"]*">\n?')
    assert preload.sub(b"", room.body) == page.body.replace(b"./", b"../", 1)


async def test_a_rooms_page_asks_for_all_its_modules_at_once(server: Running) -> None:
    room = (await server.get("/room/lobby")).body.decode()
    asked = re.findall(r'<link rel="modulepreload" href="([^"]*)">', room)
    assert len(asked) == len(set(asked))
    modules = {address.rpartition("/")[2]: (await server.get(f"/{address}")) for address in asked}
    assert all(module.status == 200 for module in modules.values())
    imported = {
        name
        for module in modules.values()
        for name in re.findall(r'^import .*"\./(.*)";$', module.body.decode(), re.MULTILINE)
    }
    assert imported | {"main.js", "room.js"} == set(modules)


@pytest.mark.parametrize("name", ["lobby", "caf%C3%A9", "..", "%3Fx"])
async def test_a_slash_too_many_leads_to_the_room(server: Running, name: str) -> None:
    answer = await server.get(f"/room/{name}/")
    assert (answer.status, answer.headers["location"]) == (308, f"../{name}")
    assert (await server.get("/room/lobby")).status == 200


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


async def test_a_404_has_the_same_words_wherever_it_comes_from(server: Running) -> None:
    of_a_route = await server.get("/nothing")
    of_the_router = await server.get("/nothing/at/all")
    of_an_asset = await server.get("/assets/x/nothing.js")
    assert of_a_route.body == of_the_router.body == of_an_asset.body


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/room", "OPTIONS, POST"),
        ("PUT", "/api/room/lobby", "GET, HEAD, OPTIONS"),
        ("POST", "/livez", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_method_that_is_not_allowed(
    server: Running, method: str, target: str, allow: str
) -> None:
    answer = await server.ask(method, target)
    assert (answer.status, answer.headers["allow"]) == (405, allow)
    told = await server.ask("OPTIONS", target)
    assert (told.status, told.headers["allow"], told.body) == (204, allow, b"")
    assert "content-type" not in told.headers


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=x", "limit must be a whole number of at most 15 digits, like limit=100."),
        ("before=", "before must be a whole number of at most 15 digits, like before=100."),
        ("around=-1", "around must be a whole number of at most 15 digits, like around=100."),
        ("after=1&after=2", "after must be given once only."),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_number_of_a_page_that_is_none(
    server: Running, monkeypatch: pytest.MonkeyPatch, method: str, query: str, words: str
) -> None:
    monkeypatch.delattr(Room, "wait_opened")  # no room is opened for it
    answer = await server.ask(method, f"/api/room/lobby/history?{query}")
    assert answer.status == 400
    if method == "GET":
        assert json.loads(answer.body) == {"error": words, "code": "bad_request"}


async def test_a_page_of_another_site_may_ask_for_a_private_room(server: Running) -> None:
    preflight = await server.ask(
        "OPTIONS",
        "/api/room",
        "Origin: http://elsewhere.example",
        "Access-Control-Request-Method: POST",
    )
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "POST"


@pytest.mark.parametrize("target", ["/api/room/lobby", "/api/room/lobby/history?limit=1000"])
async def test_head_does_not_do_the_work(
    server: Running, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    whole = await server.get(target)
    monkeypatch.delattr(Room, "wait_opened")
    head = await server.ask("HEAD", target)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers["cache-control"] == "no-store"
    assert "content-length" not in head.headers  # that of the body, or none
    assert (await server.ask("HEAD", "/api/room/" + "x" * 33)).status == 404


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/livez"),
        ("GET", "/nothing"),
        ("POST", "/api/room"),
        ("OPTIONS", "/api/room"),
        ("GET", "/api/room/lobby"),
        ("GET", "/api/room/lobby/history"),
        ("GET", "/room/lobby/"),
    ],
)
async def test_no_answer_is_taken_for_another_kind(
    server: Running, method: str, target: str
) -> None:
    answer = await server.ask(method, target)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


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
    limits = {"message_chars": 2_000, "name_chars": 32, "interval_ms": 0, "grace_ms": 10_000}
    nobody = {"members": 0, "limits": limits}
    assert empty == {"room": "empty-room", "seq": 0, "h": "0" * 16, **nobody}
    lobby = json.loads((await server.get("/api/room/lobby")).body)
    last = json.loads(server.lines()[-1])
    head = {"seq": last["seq"], "h": last["h"]}
    assert lobby == {"room": "lobby", **head, "members": 2, "limits": limits}
    assert server.files() == {"lobby.jsonl"}


async def test_health(server: Running) -> None:
    for target, body in (("/livez", b"alive"), ("/readyz", b"ready")):
        answer = await server.get(target)
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["cache-control"] == "no-store"


async def test_a_defect_of_the_app_tells_nothing(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Room) -> None:
        raise RuntimeError("secret")

    id = (await server.ask("POST", "/api/room")).body.decode()
    monkeypatch.setattr(Room, "wait_opened", broken)
    before = statistics().get("a request", 0)
    answer = await server.get(f"/api/room/{id}")
    assert answer.status == 500
    assert statistics()["a request"] == before + 1
    assert error(answer.body) == "internal_server_error"
    assert b"secret" not in answer.body
    assert "Traceback" in caplog.text
    assert id not in caplog.text
    caplog.clear()
