"""What one address reads of histories by HTTP has a bound, and needs a thread or two at most."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.serving import files
from tests.serving.clock import HeldClock
from tests.serving.running import Running, serving
from tests.serving.wire import SOON

from .following import NDJSON, follow
from .test_app import error

HISTORY = "/api/room/lobby/history"
FAR = 3_000  # lines: more than a room keeps in memory


def past(server: Running) -> list[bytes]:
    lines = files.make_lines(FAR)
    files.write(server.file(), lines)
    return lines


@pytest.mark.parametrize("query", ["?limit=5", "?limit=5&around=9", "?q=alice"])
async def test_who_reads_too_fast_is_told_when_to_come_back(
    tmp_path: Path, held_clock: HeldClock, query: str
) -> None:
    async with serving(tmp_path, history_rate=0.1, history_burst=4, search_looks=2) as server:
        past(server)
        statuses = [(await server.get(HISTORY + query)).status for _ in range(7)]
        refused = await server.get(HISTORY + query)
        assert statuses == [200] * statuses.index(429) + [429] * (7 - statuses.index(429))
        assert statuses.count(200) == (3 if "q=" in query else 5)
        assert error(refused.body) == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        others = [f"{HISTORY}?limit=x", "/api/room/lobby", "/livez"]
        assert [(await server.get(one)).status for one in others] == [400, 200, 200]


async def test_through_a_proxy_each_client_has_its_own(
    tmp_path: Path, held_clock: HeldClock
) -> None:
    async with serving(
        tmp_path, history_rate=0.1, history_burst=1, trusted_proxies=("127.0.0.1",)
    ) as server:
        past(server)
        for address in ("203.0.113.7", "203.0.113.8"):
            header = f"X-Forwarded-For: {address}"
            answers = [(await server.get(HISTORY, header)).status for _ in range(3)]
            assert answers == [200, 200, 429]


@pytest.mark.parametrize("poll", [True, False])
async def test_a_follower_that_catches_up_is_held_back(tmp_path: Path, poll: bool) -> None:
    """It takes seven looks, of which two are free."""
    slow = {"history_rate": 10.0, "history_burst": 1, "page_bytes": 32 * 1024}
    async with serving(tmp_path, **slow) as server:
        lines = past(server)
        with trio.fail_after(SOON):
            begun = trio.current_time()
            if poll:
                answer = await server.get("/api/room/lobby/events?poll=1", NDJSON)
                assert answer.body.count(b'"seq"') == FAR
            else:
                follower = await follow(server, "?since=all")
                assert await follower.lines(FAR) == lines
            assert trio.current_time() - begun >= 0.4


async def test_a_place_in_time_is_looked_for_at_that_speed_too(tmp_path: Path) -> None:
    """It takes a dozen looks, of which two are free."""
    async with serving(tmp_path, history_rate=20.0, history_burst=1) as server:
        past(server)
        with trio.fail_after(SOON):
            begun = trio.current_time()
            await follow(server, "?since=99999h")
            assert trio.current_time() - begun >= 0.4
