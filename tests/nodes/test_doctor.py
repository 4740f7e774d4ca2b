"""`edgechat doctor --engine`: what is wrong with an engine, and what to do about it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from edgechat.cli import check_engine as checks
from edgechat.cli.check_engine import check_engine
from edgechat.cli.finding import Finding
from tests.cli.commands import edgechat
from tests.nodes.engine import Engine, an_engine
from tests.nodes.judge import soon
from tests.nodes.nodes import a_node
from tests.rooms.storage_contract import LOBBY, say


def bad(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(found.level, found.what, found.do) for found in findings if found.level != "ok"]


async def test_a_good_engine(engine: Engine, tmp_path: Path) -> None:
    await engine.ask("CONFIG", "SET", "maxmemory", "100mb")
    async with a_node(engine, tmp_path / "data") as node:
        await soon(lambda: node.is_linked)
        log = await node.storage.open(LOBBY)
        await say(node, log, 1)
        done = await edgechat("doctor", "--engine", engine.url, "--json")
        log.close()
    found = [json.loads(line) for line in done.out.splitlines()]
    assert (done.status, {each["level"] for each in found}) == (0, {"ok"}), found
    words = " ".join(each["what"] for each in found)
    for word in (engine.url, "Redis", "everysec", "100.0 MB", "One node serves", "1 rooms"):
        assert word in words.replace("104.9 MB", "100.0 MB")


async def test_what_is_wrong_with_its_settings(short_path: Path) -> None:
    options = ("--maxmemory-policy", "allkeys-lru", "--appendonly", "no")
    async with an_engine(short_path / "e", *options) as engine:
        found = bad(await check_engine(engine.url))
        assert [level for level, _, _ in found] == ["error", "warning", "warning"]
        assert found[0][2] == "set maxmemory-policy noeviction."
        assert "no limit" in found[1][1]
        assert "appendonly yes" in found[2][2]
        done = await edgechat("doctor", EDGECHAT_ENGINE=engine.url)
        assert done.status == 1


async def test_a_full_one_that_syncs_when_the_system_likes(engine: Engine) -> None:
    await engine.ask("CONFIG", "SET", "maxmemory", "1mb")
    await engine.ask("CONFIG", "SET", "appendfsync", "no")
    memory, syncs = bad(await check_engine(engine.url))
    assert "Raise maxmemory" in memory[2]
    assert "appendfsync everysec" in syncs[2]


async def test_a_replica(engine: Engine, short_path: Path) -> None:
    async with an_engine(short_path / "r", "--replicaof", "localhost 1") as replica:
        await replica.ask("CONFIG", "SET", "maxmemory", "100mb")
        found = bad(await check_engine(replica.url))
    assert "name the primary." in [do for _, _, do in found]


async def test_a_password(short_path: Path) -> None:
    async with an_engine(short_path / "e", password="hush") as engine:
        ((level, what, do),) = bad(await check_engine(engine.url))
        assert (level, "NOAUTH" in what, "password" in do) == ("error", True, True)
        url = f"unix://:hush@{engine.socket}"
        assert len(found := await check_engine(url)) > 4
        assert "hush" not in str(found)


async def test_none_and_one_that_stands_still(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((level, what, _),) = bad(await check_engine("redis://127.0.0.1:1"))
    assert level == "error"
    assert "127.0.0.1:1" in what
    monkeypatch.setattr(checks, "_WAIT", 0.2)
    engine.stall()
    ((level, what, _),) = bad(await check_engine(engine.url))
    engine.go_on()
    assert "takes too long" in what


async def test_another_versions(engine: Engine) -> None:
    await engine.ask("SET", "ec:{0}:format", "2")
    assert "another version" in str(bad(await check_engine(engine.url)))


async def test_its_clock(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("edgechat.cli.check_engine.time.time", lambda: now - 100)
    assert "100 s ahead of this one" in str(bad(await check_engine(engine.url)))
