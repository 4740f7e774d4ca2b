"""Who is where: members of all nodes see each other come, go and type."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.nodes.engine import Engine
from tests.nodes.judge import soon
from tests.nodes.nodes import a_node
from tests.rooms.storage_contract import LOBBY
from tests.serving.running import program, serving
from tests.serving.wire import SOON, Wire, frame, hello, join, open_wire


async def names(port: int, **keys: object) -> tuple[list[str], int]:
    """Who is there, as a newcomer is told, and how many."""
    wire = await open_wire(port)
    await wire.send(hello("visitor", **keys))
    found = []
    with trio.fail_after(SOON):
        while "ready" not in (event := await wire.event()):
            if "joined" in event:
                found.append(event["joined"])
    wire.close()
    return sorted(set(found) - {"visitor"}), event["members"]


async def hear(wire: Wire, key: str, value: object) -> None:
    with trio.fail_after(SOON):
        await wire.until(key, value)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its lease: a machine with much else to do takes a living node for a dead one."""
    monkeypatch.setattr("edgechat.nodes.node_rosters._BEAT", 0.3)


async def test_they_see_each_other_come_type_and_go(engine: Engine, tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "a", engine=engine.url) as one,
        serving(tmp_path / "b", engine=engine.url) as other,
    ):
        versions: list[dict[str, Any]] = [{}, {"v": 2}]
        for version in versions:
            alice = await join(one.port, "alice", **version)
            bob = await join(other.port, "bob", **version)
            await hear(alice, "joined", "bob")
            if version:
                await alice.send(frame('{"typing":true}'))
                await hear(bob, "typing", ["alice"])
            assert (await names(one.port, **version))[0] == ["alice", "bob"]
            assert (await names(other.port, **version))[0] == ["alice", "bob"]
            bob.close()
            await hear(alice, "quit", "bob")
            alice.close()


async def test_one_name_on_two_nodes_is_one_person(engine: Engine, tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "a", engine=engine.url) as one,
        serving(tmp_path / "b", engine=engine.url) as other,
    ):
        bob = await join(one.port, "bob", v=2)
        here, there = await join(one.port, "alice"), await join(other.port, "alice")
        await hear(bob, "joined", "alice")
        await hear(here, "joined", "alice")
        there.close()
        await hear(here, "quit", "alice")  # v1 is told of sessions
        here.close()
        with trio.fail_after(SOON):
            quits = [event for event in [await bob.until("quit")] if event == {"quit": "alice"}]
        assert len(quits) == 1


async def test_members_of_a_node_that_died_quit_once(engine: Engine, tmp_path: Path) -> None:
    async with serving(tmp_path / "a", engine=engine.url) as one:
        alice = await join(one.port, "alice")
        async with program(tmp_path / "b", "--engine", engine.url) as dying:
            for name in ("bob", "carol"):
                await join(dying.port, name)
                await hear(alice, "joined", name)
            dying.process.kill()
            await dying.process.wait()
        alice = await join(one.port, "alice")
        quits: list[str] = []
        with trio.fail_after(SOON):
            while len(quits) < 2:
                quits.append((await alice.until("quit"))["quit"])
        assert sorted(quits) == ["bob", "carol"]
        assert (await names(one.port))[0] == ["alice"]
        assert b"bob" not in await engine.ask("HVALS", "ec:{0}:n:r:lobby")


async def test_nobody_is_lost_when_the_engine_was_away(engine: Engine, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(serving(tmp_path / name, engine=engine.url))
            for name in "ab"
        ]
        alice, _ = await join(one.port, "alice"), await join(other.port, "bob")
        await hear(alice, "joined", "bob")
        await engine.kill()
        engine.forget_files()
        await engine.start()
        carol = await join(other.port, "carol")
        await hear(alice, "joined", "carol")
        await carol.say("hi")
        seen = []
        with trio.fail_after(SOON):
            while "message" not in (event := await alice.event()):
                seen.append(event)
        assert {"quit": "bob"} not in seen
        assert (await names(one.port)) == (["alice", "bob", "carol"], 4)


async def test_who_came_while_a_link_was_away_is_heard_of(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that node's link: the others have nothing to tell again."""
    async with (
        a_node(engine, tmp_path / "a") as one,
        a_node(engine, tmp_path / "b") as other,
    ):
        here, there = await one.storage.open(LOBBY), await other.storage.open(LOBBY)
        there.show(lambda: (["bob"], 0))
        await soon(lambda: "bob" in names_elsewhere(here))
        monkeypatch.setattr(one.nodes._presence, "hear", lambda room, data: None)  # it is lost
        there.show(lambda: (["bob", "carol"], 0))
        await soon(lambda: not other.nodes._presence._changed)
        other.nodes._presence._connection()
        await other.nodes._presence._connection().request("PING")
        monkeypatch.undo()
        assert "carol" not in names_elsewhere(here)
        one.nodes.link.connection().cut()
        await soon(lambda: "carol" in names_elsewhere(here))
        here.close()
        there.close()


def names_elsewhere(log: Any) -> list[str]:
    return [name for others in log.others.values() for name in others.names]
