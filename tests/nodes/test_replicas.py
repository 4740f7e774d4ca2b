"""`--replicas 1`: nothing is shown that only one engine has, and nothing is refused for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from edgechat.chat.errors import StorageUnavailable
from edgechat.rooms.storage import Unanswered
from tests.nodes.engine import Engine, an_engine
from tests.nodes.judge import Listener, Speakers, judge, soon
from tests.nodes.nodes import Node, a_node
from tests.rooms.storage_contract import LOBBY, follow, head, raw, say
from tests.serving.ports import free_ports
from tests.serving.running import Running, serving
from tests.serving.wire import SOON, join


@asynccontextmanager
async def a_pair(folder: Path) -> AsyncIterator[tuple[Engine, Engine]]:
    """An engine on a port too, and a replica that follows it."""
    port = free_ports()
    fast = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
    async with an_engine(folder / "p", *fast, "--port", str(port)) as primary:
        follows = ("--replicaof", f"127.0.0.1 {port}")
        async with an_engine(folder / "r", *fast, *follows) as replica:
            await followed(primary)
            yield primary, replica


async def two_nodes(stack: AsyncExitStack, folder: Path, engine: Engine) -> list[Running]:
    """Servers that wait for a replica, until the stack ends."""
    return [
        await stack.enter_async_context(serving(folder / name, engine=engine.url, replicas=1))
        for name in "ab"
    ]


async def followed(primary: Engine) -> None:
    """Until the replica is in step."""
    with trio.fail_after(SOON):
        while b"state=online" not in await primary.ask("INFO", "replication"):
            await wait_all_tasks_blocked(0.01)


async def asked(node: Node, log: Any, text: str) -> int:
    """Something is on its way; returns what its answer will be known by."""
    ticket = -1_000 - len(node.answers)
    node.storage.submit(log, head(log), raw(follow(head(log), [text])), ticket)
    node.take(node.storage.send())
    return ticket


async def in_the_engine(engine: Engine, seq: int) -> None:
    with trio.fail_after(SOON):
        while b"\n%d\r" % seq not in await engine.ask("HGET", "ec:{0}:m:r:lobby", "seq"):
            await wait_all_tasks_blocked(0.01)


async def test_what_is_said_is_on_the_replica(short_path: Path, tmp_path: Path) -> None:
    async with a_pair(short_path) as (primary, replica), a_node(primary, tmp_path / "a", 1) as node:
        log = await node.storage.open(LOBBY)
        await say(node, log, 5)
        assert b"\n5\r" in await replica.ask("HGET", "ec:{0}:m:r:lobby", "seq")
        log.close()


async def test_short_of_it_nothing_is_shown_or_refused(short_path: Path, tmp_path: Path) -> None:
    """On no node: not what was said there, and not what others said. And then all of it is."""
    async with (
        a_pair(short_path) as (primary, replica),
        a_node(primary, tmp_path / "a", 1) as one,
        a_node(primary, tmp_path / "b", 1) as other,
    ):
        log, there = await one.storage.open(LOBBY), await other.storage.open(LOBBY)
        replica.stall()
        ticket = await asked(one, log, "hi")
        await in_the_engine(primary, 1)
        await soon(lambda: not one.nodes.statistics().is_replicated)
        await soon(lambda: not other.nodes.statistics().is_replicated)
        assert ticket not in one.answers
        assert list(there.heard()) == []
        assert (list(await log.after(0, 9)), list(await there.after(0, 9))) == ([], [])
        replica.go_on()
        await soon(lambda: ticket in one.answers)
        assert one.answers[ticket] is None
        await soon(lambda: bool(there.tip.seq and not there.held))  # type: ignore[attr-defined]
        assert [line.seq for line in there.heard()] == [1]
        for node in (one, other):
            await soon(lambda node=node: node.nodes.statistics().is_replicated)  # type: ignore[misc]
        for each in (log, there):
            each.close()


async def test_a_batch_behind_what_is_not_told_yet_is_late(
    short_path: Path, tmp_path: Path
) -> None:
    """It is not drafted again and again meanwhile."""
    async with (
        a_pair(short_path) as (primary, replica),
        a_node(primary, tmp_path / "a", 1) as one,
        a_node(primary, tmp_path / "b", 1) as other,
    ):
        log, there = await one.storage.open(LOBBY), await other.storage.open(LOBBY)
        replica.stall()
        ticket = await asked(one, log, "first")
        await soon(lambda: there.held > 0)  # type: ignore[attr-defined]
        late = await asked(other, there, "second")
        assert late not in other.answers
        replica.go_on()
        await soon(lambda: ticket in one.answers and late in other.answers)
        assert one.answers[ticket] is None
        assert type(other.answers[late]).__name__ == "Moved"
        assert [line.seq for line in there.heard()] == [1]
        for each in (log, there):
            each.close()


async def test_while_they_are_too_few_what_was_not_sent_is_refused(
    short_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was sent is not: after ten seconds its room ends without a word."""
    monkeypatch.setattr("edgechat.nodes.replicas._UNANSWERED", 3.0)
    async with a_pair(short_path) as (primary, replica), a_node(primary, tmp_path / "a", 1) as node:
        log = await node.storage.open(LOBBY)
        quiet = await node.storage.open(LOBBY._replace(name="q"))
        said, before = await say(node, log, 1), await say(node, quiet, 1)
        await replica.kill()
        node.storage.submit(log, said[-1], raw(follow(said[-1], ["held"])), -7)
        node.take(node.storage.send())
        await soon(lambda: not node.nodes.statistics().is_replicated)
        refused = await node.answer(quiet, before[-1], raw(follow(before[-1], ["no"])))
        assert isinstance(refused, StorageUnavailable)
        assert "replicas" in str(refused)
        with pytest.raises(StorageUnavailable, match="replicas"):
            await node.storage.open(LOBBY._replace(name="new"))
        await soon(lambda: -7 in node.answers)
        assert isinstance(node.answers[-7], Unanswered)
        for each in (log, quiet):
            each.close()


async def test_nothing_anybody_saw_is_lost_with_the_engine_and_all_nodes(
    short_path: Path, tmp_path: Path
) -> None:
    """The primary and every node with its files are gone; the replica takes over."""
    async with a_pair(short_path) as (primary, replica):
        async with AsyncExitStack() as stack:
            nodes = await two_nodes(stack, tmp_path, primary)
            ports = [node.port for node in nodes]
            speakers, ears = Speakers(ports), [Listener(ports, at) for at in range(2)]
            async with trio.open_nursery() as nursery:
                for ear in ears:
                    nursery.start_soon(ear.listen)
                for name in "xyz":
                    nursery.start_soon(speakers.talk, name)
                await soon(lambda: len(speakers.acked) > 60)
                await primary.kill()
                acked = dict(speakers.acked)
                shown = [list(ear.shown) for ear in ears]
                nursery.cancel_scope.cancel()
        await replica.ask("REPLICAOF", "NO", "ONE")
        async with serving(tmp_path / "new", engine=replica.url) as fresh:
            with trio.fail_after(SOON):
                while (
                    answer := await fresh.get("/api/room/lobby/history?limit=1000")
                ).status != 200:
                    assert answer.status == 503, answer  # until its link is up
            lines = {line["seq"]: line for line in map(json.loads, answer.body.splitlines())}
    assert acked
    for place in [*acked.values(), *shown[0], *shown[1]]:
        assert lines[place.seq]["h"] == place.h


async def test_the_replica_comes_and_goes_under_load(short_path: Path, tmp_path: Path) -> None:
    async with a_pair(short_path) as (primary, replica), AsyncExitStack() as stack:
        nodes = await two_nodes(stack, tmp_path, primary)
        ports = [node.port for node in nodes]
        speakers, ears = Speakers(ports), [Listener(ports, at) for at in range(2)]
        async with trio.open_nursery() as nursery:
            for ear in ears:
                nursery.start_soon(ear.listen)
            async with trio.open_nursery() as talking:
                for name in "wxyz":
                    talking.start_soon(speakers.talk, name)
                await soon(lambda: len(speakers.acked) > 20)
                for how in (replica.stall, replica.go_on, replica.kill, replica.start):
                    before = len(speakers.acked)
                    result = how()
                    if result is not None:
                        await result
                    if how in (replica.stall, replica.kill):
                        await trio.sleep(1.5)
                    else:
                        await soon(lambda before=before: len(speakers.acked) > before + 20)  # type: ignore[misc]
                speakers.stop()
            await judge(nodes, speakers, ears)
            nursery.cancel_scope.cancel()


async def test_readiness(short_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgechat.nodes.storage._UNREADY", 0.3)
    async with (
        a_pair(short_path) as (primary, replica),
        serving(tmp_path / "a", engine=primary.url, replicas=1) as node,
    ):
        alice = await join(node.port, "alice")
        assert (await node.get("/readyz")).status == 200
        await replica.kill()
        await alice.say("hello?")
        with trio.fail_after(SOON):
            while (await node.get("/readyz")).status != 503:
                pass
        await replica.start()
        with trio.fail_after(SOON):
            await alice.until("message", "hello?")
            while (await node.get("/readyz")).status != 200:
                pass
