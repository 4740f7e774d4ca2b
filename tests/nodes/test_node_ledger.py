"""An address's allowance over several nodes: the engine counts as one process would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from edgechat.chat.allowance import Allowance
from edgechat.nodes import keys, scripts
from edgechat.nodes.node_ledger import NodeLedger
from edgechat.rooms.allowances import Allowances
from edgechat.settings import Settings
from tests.nodes.engine import Engine
from tests.nodes.judge import soon
from tests.nodes.nodes import Node, a_node
from tests.serving.running import serving
from tests.serving.talking import said
from tests.serving.wire import SOON, join

ADDRESS = "192.0.2.1"
PLACE = keys.limit_of(ADDRESS)


@asynccontextmanager
async def linked(engine: Engine, *folders: Path) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(a_node(engine, folder)) for folder in folders]
        await soon(lambda: all(node.is_linked for node in nodes))
        yield nodes


async def spend(node: Node, interval: float, *messages: int) -> list[int]:
    """What the engine says of as many addresses as there are numbers."""
    connection = node.nodes.link.up
    assert connection is not None
    places = [f"{PLACE}{number}" for number in range(len(messages))]
    words = (round(interval * 1e6), *messages)
    found: list[int] = await scripts.run(connection.request, scripts.SPEND, places, *words)
    return found


@pytest.mark.parametrize("interval", [1.5, 0.04, 1 / 3])
async def test_the_engine_counts_as_one_process(
    engine: Engine, tmp_path: Path, interval: float
) -> None:
    """All but for the time that the requests take."""
    async with linked(engine, tmp_path / "a", tmp_path / "b") as nodes:
        alone, began = Allowance(interval, 10.0), trio.current_time()
        for at, messages in enumerate((1, 3, -1, 11, -2, 500, -1)):
            (owed,) = await spend(nodes[at % 2], interval, messages)
            now = trio.current_time()
            alone.charge(messages, now)
            late = now - began
            assert alone.full_at - now - late <= owed / 1e6 <= alone.full_at - now + late


async def test_several_at_once_and_what_is_paid_is_forgotten(
    engine: Engine, tmp_path: Path
) -> None:
    async with linked(engine, tmp_path / "a") as (node,):
        owed = await spend(node, 100.0, 1, 2, -5)
        assert [round(each / 1e6) for each in owed] == [100, 200, -500]
        assert await engine.ask("EXISTS", f"{PLACE}0", f"{PLACE}1", f"{PLACE}2") == b":2\r\n"
        ttl = int((await engine.ask("PTTL", f"{PLACE}1")).strip(b":\r\n"))
        assert 150_000 < ttl <= 200_000
        assert (await spend(node, 100.0, -1, 0, 0))[0] < 1e6
        await spend(node, 0.001, 0, 0, 1)
        with trio.fail_after(SOON):
            while await engine.ask("EXISTS", f"{PLACE}2") != b":0\r\n":
                pass


async def test_the_rate_over_a_while(engine: Engine, tmp_path: Path) -> None:
    """One who always tries, at three nodes: a burst at each, and then one rate for all."""
    settings = Settings(message_interval=0.04, message_grace=0.4)
    passed = 0
    late: list[float] = []  # seconds by which the machine woke somebody, or answered, too late

    async def always(allowances: Allowances, until: float) -> None:
        nonlocal passed
        mine = allowances.of(ADDRESS)
        while (now := trio.current_time()) < until:
            while not (wait := mine.spend(now)):
                passed += 1
            await trio.sleep(wait)
            late.append(trio.current_time() - now - wait)

    class Watched(NodeLedger):
        async def _tell(self, allowances: Allowances, spent: Mapping[str, int]) -> None:
            now = trio.current_time()
            await super()._tell(allowances, spent)
            late.append(trio.current_time() - now)

    folders = [tmp_path / name for name in "abc"]
    async with linked(engine, *folders) as nodes, trio.open_nursery() as living:
        began = trio.current_time()
        async with trio.open_nursery() as trying:
            for node in nodes:
                ledger = Watched(node.nodes.ledger._connection)
                allowances = Allowances(living, settings, ledger.spending)
                living.start_soon(ledger.run, allowances)
                trying.start_soon(always, allowances, began + 4.0)
        took = trio.current_time() - began
        living.cancel_scope.cancel()
    # What is not said in time is lost beyond the grace, and a node that is told late goes on alone.
    lost = sum(max(0.0, each - 0.4) for each in late) / 0.04
    alone = sum(min(each, 0.4) for each in late if each > 0.05) / 0.04 * 3
    # A burst is 11. What each says in the 0.1 s before it is told belongs to the next ones.
    assert 4.0 / 0.04 * 0.9 - lost <= passed <= took / 0.04 + 3 * 11 + 3 * 3 + alone


async def test_scripts_that_are_flushed_and_an_engine_that_is_away(
    engine: Engine, tmp_path: Path
) -> None:
    """Meanwhile a node counts alone. Nothing is told later, and the next ones count again."""
    settings = Settings(message_interval=100.0, message_grace=1_000.0)
    async with linked(engine, tmp_path / "a") as (node,), trio.open_nursery() as living:
        ledger = node.nodes.ledger
        allowances = Allowances(living, settings, ledger.spending)
        living.start_soon(ledger.run, allowances)
        mine = allowances.of(ADDRESS)

        async def counted() -> int:
            left = int((await engine.ask("PTTL", PLACE)).strip(b":\r\n"))
            return round(left / 100_000) if left > 0 else 0

        async def until_counted(messages: int) -> None:
            with trio.fail_after(SOON):
                while await counted() != messages:
                    pass

        assert mine.spend(trio.current_time()) == 0.0
        await until_counted(1)
        await engine.ask("SCRIPT", "FLUSH")
        assert mine.spend(trio.current_time()) == 0.0
        await until_counted(2)
        await engine.kill()
        await soon(lambda: not node.is_linked)
        for _ in range(3):
            assert mine.spend(trio.current_time()) == 0.0
        await soon(lambda: not ledger.spending._spent)
        await engine.start()
        await soon(lambda: node.is_linked)
        assert mine.spend(trio.current_time()) == 0.0
        await until_counted(3)
        living.cancel_scope.cancel()


async def test_one_allowance_over_all_nodes(engine: Engine, tmp_path: Path) -> None:
    """Each lets a burst through; then both know what was spent on both."""
    rule = {"message_interval": 100.0, "message_grace": 200.0, "engine": engine.url}
    async with serving(tmp_path / "a", **rule) as one, serving(tmp_path / "b", **rule) as other:
        here = await join(one.port, "alice")
        there = await join(other.port, "alice", "elsewhere")
        for wire in (here, there):
            for n in range(3):
                assert "seq" in await said(wire, f"m{n}")
        async with serving(tmp_path / "c", **rule) as third:
            wire = await join(third.port, "alice", "third")
            assert "seq" in await said(wire, "it knows nothing yet")
            with trio.fail_after(SOON):
                while (await said(wire, "more")).get("retry_after_ms", 0) < 450_000:
                    pass
