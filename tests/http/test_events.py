"""Following a room by HTTP: `GET /api/room/<r>/events`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from edgechat import system
from edgechat.settings import Settings
from tests.serving import files
from tests.serving.running import Running, eventually, serving
from tests.serving.talking import Broken
from tests.serving.wire import SOON, Wire, join

from .following import NDJSON, Follower, follow
from .test_app import error
from .test_posts import post

TARGET = "/api/room/lobby/events"
FAR = 3_000  # lines: more than a room keeps in memory


def past(server: Running, count: int, text: str = "", now: int = 1_763_880_000_000) -> list[bytes]:
    lines = files.make_lines(count, text, now=now)
    files.write(server.file(), lines)
    return lines


def last_token(lines: list[bytes]) -> str:
    line = json.loads(lines[-1])
    return f"{line['seq']}:{line['h']}"


async def test_what_is_said_comes_byte_for_byte(server: Running) -> None:
    alice = await join(server.port, "alice")
    with trio.fail_after(SOON):
        follower, plain = await follow(server), await follow(server, "", NDJSON)
        heard = []
        for text in ("one", "zwei „é“", "three\nlines\n!"):
            await alice.say(text, id=text[:3].strip())
            heard.append((await alice.frame())[1])
        assert await follower.lines(3) == heard == server.lines()
        assert [await plain.plain_line() for _ in heard] == heard
    assert follower.status == plain.status == 200
    assert follower.headers["content-type"].startswith("text/event-stream")
    assert plain.headers["content-type"] == "application/x-ndjson"
    for headers in (follower.headers, plain.headers):
        assert headers["x-accel-buffering"] == "no"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["connection"] == "close"
        assert headers["edgechat-since"] == "0:" + "0" * 16
        assert "date" in headers
        assert "content-length" not in headers


async def test_a_follower_is_not_a_member(server: Running) -> None:
    alice = await join(server.port, "alice", v2=2)
    with trio.fail_after(SOON):
        follower = await follow(server)
        assert json.loads((await server.get("/api/room/lobby")).body)["members"] == 1
        await alice.say("hi")
        assert "message" in await alice.event()  # nothing was told in between
        assert len(await follower.lines(1)) == 1


async def test_who_saw_nothing_yet_has_a_place_to_go_on_from(server: Running) -> None:
    lines = past(server, 5)
    with trio.fail_after(SOON):
        first = await follow(server)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert first.headers["edgechat-since"] == last_token(lines)
        first.close()
        await post(server, "missed")
        again = await follow(server, "", f"Last-Event-ID: {last_token(lines)}")
        assert await again.lines(6) == server.lines()[5:]


@pytest.mark.parametrize("count", [10, FAR])
async def test_each_way_to_go_on(server: Running, count: int) -> None:
    lines = past(server, count)
    place = json.loads(lines[3])
    token = f"4:{place['h']}"
    base = f"0:{files.BASE.decode()}"
    with trio.fail_after(SOON):
        for query, header, after in (
            (f"?since={token}", "X-No: 1", 4),
            ("?since=4", "X-No: 1", 4),
            ("?since=all", "X-No: 1", 0),
            ("?since=0", "X-No: 1", 0),
            (f"?since={base}", "X-No: 1", 0),
            ("?since=0:" + "0" * 16, "X-No: 1", 0),
            ("", f"Last-Event-ID: {token}", 4),
            ("?since=all", f"Last-Event-ID: {token}", 4),
        ):
            follower = await follow(server, query, header)
            assert await follower.lines(count) == lines[after:], query
            follower.close()


@pytest.mark.parametrize(
    ("query", "header", "reason"),
    [
        ("?since=4:0123456789abcdef", "X-No: 1", "forked"),
        ("?since=400", "X-No: 1", "forked"),
        ("?since=400:0123456789abcdef", "X-No: 1", "forked"),
        ("?since=all", "Last-Event-ID: 4:0123456789abcdef", "forked"),
        ("", "Last-Event-ID: of-another-server", "forked"),
    ],
)
async def test_a_reset_comes_before_anything_else(
    server: Running, query: str, header: str, reason: str
) -> None:
    lines = past(server, 150)
    head = json.loads(lines[-1])
    with trio.fail_after(SOON):
        follower = await follow(server, query, header)
        event = await follower.event()
        assert event.event == "reset"
        assert json.loads(event.data) == {"reason": reason, "seq": 150, "h": head["h"]}
        assert await follower.lines(150) == lines[50:]  # the usual backlog
        plain = await follow(server, query, header, NDJSON)
        told = json.loads(await plain.plain_line())
        assert told == {"event": "reset", "reason": reason, "seq": 150, "h": head["h"]}
        assert await plain.plain_line() == lines[50]


async def test_a_history_that_does_not_go_back_so_far(server: Running) -> None:
    lines = files.make_lines(5)
    third = json.loads(lines[2])
    header = files.HEADER.replace(b'"seq":0', b'"seq":3') % third["h"].encode()
    server.file().parent.mkdir(parents=True, exist_ok=True)
    server.file().write_bytes(header + b"\n".join(lines[3:]) + b"\n")
    with trio.fail_after(SOON):
        follower = await follow(server, "?since=2")
        assert json.loads((await follower.event()).data)["reason"] == "trimmed"
        assert await follower.lines(5) == lines[3:]
        whole = await follow(server, "?since=all")
        assert await whole.lines(5) == lines[3:]


@pytest.mark.parametrize(("age", "count"), [("10m", 10), ("600s", 10), ("1h", 60), ("1d", FAR)])
async def test_as_far_back_as_some_time(server: Running, age: str, count: int) -> None:
    """A line a minute."""
    made = files.make_lines(FAR)
    start = system.now_ms() - FAR * 60_000 - 30_000
    lines, h = [], files.BASE.decode()
    for seq, line in enumerate(made, 1):
        said = json.loads(line)
        body = line.replace(
            b'"timestamp":%d' % said["timestamp"], b'"timestamp":%d' % (start + seq * 60_000)
        )
        h = files.chain(h, body)
        lines.append(body[: -files.TAIL] + f',"h":"{h}"}}'.encode())
    files.write(server.file(), lines)
    with trio.fail_after(SOON):
        follower = await follow(server, f"?since={age}")
        expected = lines[-count:] if age != "1d" else lines[-1_440:]
        assert await follower.lines(FAR) == expected


@pytest.mark.parametrize("count", [0, 10, FAR])
async def test_a_poll_ends(server: Running, count: int) -> None:
    lines = past(server, count) if count else []
    body = b"".join(line + b"\n" for line in lines)
    answer = await server.get(f"{TARGET}?poll=1", NDJSON)
    assert answer.status == 200
    chunks, rest = [], answer.body
    while rest:  # chunked: who is cut off before the end can tell
        size, _, rest = rest.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    assert chunks[-1] == b""
    assert b"".join(chunks) == body
    assert (server.files() == set()) is (count == 0)


@pytest.mark.parametrize(
    "query", ["?since=x", "?since=", "?since=1:2", "?since=-1", "?since=10y", "?since=1&since=2"]
)
async def test_a_place_that_is_none(server: Running, query: str) -> None:
    answer = await server.get(TARGET + query)
    assert (answer.status, error(answer.body)) == (400, "bad_request")


async def test_what_else_is_refused(server: Running) -> None:
    for name in ("x" * 33, "ab" * 32):
        answer = await server.get(f"/api/room/{name}/events")
        assert (answer.status, error(answer.body)) == (404, "not_found")
    answer = await server.get(TARGET, "Origin: http://elsewhere.example")
    assert (answer.status, error(answer.body)) == (403, "origin_refused")
    answer = await server.ask("POST", TARGET, body=b"x")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    head = await server.ask("HEAD", TARGET)
    assert (head.status, head.body) == (200, b"")
    assert server.files() == set()


async def test_a_damaged_line_is_called_lost(server: Running) -> None:
    lines = past(server, 5)
    damaged = [*lines[:2], lines[2].replace(b"alice", b"malic"), *lines[3:]]
    files.write(server.file(), damaged)
    with trio.fail_after(SOON):
        follower = await follow(server, "?since=all")
        assert await follower.lines(5) == [*lines[:2], b'{"seq":3,"kind":"lost"}', *lines[3:]]


async def test_a_comment_says_that_the_server_is_there(tmp_path: Path) -> None:
    async with serving(tmp_path, heartbeat=0.05) as server:
        with trio.fail_after(SOON):
            follower, plain = await follow(server), await follow(server, "", NDJSON)
            for _ in range(2):  # nobody says anything meanwhile
                await follower.comment()
                await plain.empty_line()
            await post(server, "hi")
            assert await follower.lines(1) == [await plain.plain_line()]
    assert Settings().heartbeat == 20.0


async def test_who_leaves_is_forgotten(server: Running, bystanders: object) -> None:
    before = open_connections(server)
    with trio.fail_after(SOON):
        follower, other = await follow(server), await follow(server, "", NDJSON)
        assert open_connections(server) == before + 2
        follower.close()
        other.wire.reset()
        await eventually(lambda: open_connections(server) == before)


def open_connections(server: Running) -> int:
    """To this server's port: established, as its own side sees it.

    All of the machine's are in the table: another process may have that port at another address.
    """
    table = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    ours = f"0100007F:{server.port:04X}"
    return sum(row.split()[1] == ours and row.split()[3] == "01" for row in table)


async def test_a_flood_is_the_same_for_all(server: Running) -> None:
    """Two followers by events, one by NDJSON, two by WebSocket; one is cut and goes on."""
    count = 2_000
    with trio.fail_after(4 * SOON):
        alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
        one, two = await follow(server), await follow(server)
        plain = await follow(server, "", NDJSON)
        heard: dict[str, list[bytes]] = {}

        async def flood() -> None:
            for number in range(count):
                await alice.say(f"{number} " + "x" * 300)

        async def member(name: str, wire: Wire) -> None:
            lines: list[bytes] = []
            while len(lines) < count:
                payload = (await wire.frame())[1]
                if payload.startswith(b'{"seq":'):
                    lines.append(payload)
            heard[name] = lines

        async def follower(name: str, one: Follower) -> None:
            heard[name] = await one.lines(count)

        async def cut(name: str, one: Follower) -> None:
            lines: list[bytes] = []
            while len(lines) < count:
                lines.append((await one.event()).data)
                if len(lines) % 150 == 0:
                    id = one.id
                    one.close()
                    one = await follow(server, "", f"Last-Event-ID: {id}")
            heard[name] = lines

        async def ndjson(name: str, one: Follower) -> None:
            heard[name] = [await one.plain_line() for _ in range(count)]

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            nursery.start_soon(member, "alice", alice)
            nursery.start_soon(member, "bob", bob)
            nursery.start_soon(follower, "one", one)
            nursery.start_soon(cut, "two", two)
            nursery.start_soon(ndjson, "plain", plain)
    stored = server.lines()
    assert len(stored) == count
    assert {name: lines == stored for name, lines in heard.items()} == dict.fromkeys(heard, True)
    assert len(heard) == 5


async def test_who_does_not_read_is_cut_off_and_goes_on(tmp_path: Path) -> None:
    limits = {"outbox_bytes": 64 * 1024, "stall_timeout": 8 * SOON, "close_timeout": 0.2}
    async with serving(tmp_path, **limits) as server:
        with trio.fail_after(4 * SOON):
            alice = await join(server.port, "alice")
            slow = await follow(server, receive_buffer=2_048)
            before = open_connections(server)
            said = 0
            while open_connections(server) >= before:
                said += 1
                await alice.say(f"{said} " + "x" * 1_900)
                await alice.until("seq", said)
            slow.wire.widen()
            got = []
            try:
                while True:
                    got.append((await slow.event()).data)
            except (EOFError, trio.BrokenResourceError):
                pass
            again = await follow(server, "", f"Last-Event-ID: {slow.id}")
            got += await again.lines(said)
            assert got == server.lines()


async def test_a_server_that_stops_ends_its_followers(tmp_path: Path) -> None:
    with trio.fail_after(SOON):
        async with serving(tmp_path) as server:
            follower, other = await follow(server), await follow(server, room="other")
            await post(server, "hi")
            await follower.lines(1)
            Wire.opened.discard(follower.wire)  # they stay open: the server has to end them
            Wire.opened.discard(other.wire)
        for one in (follower, other):
            end = await one.end()
            one.close()
            assert end.endswith(b"\n\n") or not end  # and nothing of Hypercorn's


async def test_a_follower_counts_as_a_connection_of_its_address(tmp_path: Path) -> None:
    async with serving(tmp_path, max_connections=2) as server:
        with trio.fail_after(SOON):
            followers = [await follow(server) for _ in range(2)]
            refused = await server.get("/livez")
            assert refused.status == 429
            followers[0].close()
            await eventually(lambda: open_connections(server) <= 1)


async def test_a_history_that_can_not_be_read(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = past(server, FAR)
    await server.get("/api/room/lobby")  # it is open
    read = Broken(monkeypatch, "pread")
    read.failing = True
    with trio.fail_after(SOON):
        refused = await server.get(f"{TARGET}?since=4:{json.loads(lines[3])['h']}")
        assert (refused.status, error(refused.body)) == (503, "storage_unavailable")
        cut = await follow(server, "?since=all")  # what it needs is missed only on the way
        assert await cut.end() == b"id: 0:%b\nretry: 2000\n\n" % files.BASE
        read.failing = False
        again = await follow(server, "", f"Last-Event-ID: 0:{files.BASE.decode()}")
        assert await again.lines(FAR) == lines


async def test_a_page_of_an_allowed_site_may_follow(tmp_path: Path) -> None:
    site = "https://friend.example"
    async with serving(tmp_path, allowed_origins=(site,)) as server:
        with trio.fail_after(SOON):
            follower = await follow(server, "", f"Origin: {site}")
        assert follower.headers["access-control-allow-origin"] == site
        assert follower.headers["vary"] == "Origin"
        polled = await server.get(f"{TARGET}?poll=1", f"Origin: {site}")
        assert polled.headers["access-control-allow-origin"] == site


async def test_a_group_commit_leaves_no_gap(tmp_path: Path) -> None:
    """Lines that are under way while somebody comes are told once."""
    async with serving(tmp_path, durability="disk") as server:
        with trio.fail_after(2 * SOON):
            alice = await join(server.port, "alice")
            followers = []
            for number in range(20):
                await alice.say(f"{number}")
                followers.append((number, await follow(server, "?since=all")))
            await alice.until("seq", 20)
            for _, follower in followers:
                assert await follower.lines(20) == server.lines()
