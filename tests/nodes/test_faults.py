"""What fails, and what is left: the same lines everywhere, each acknowledged one, none twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.nodes.engine import Engine
from tests.nodes.judge import Listener, Speakers, judge, soon
from tests.serving.running import Running, serving


@dataclass
class Town:
    """Three nodes, six who speak everywhere, and one who listens at each."""

    nodes: list[Running]
    speakers: Speakers
    listeners: list[Listener]

    async def goes_on(self, more: int = 30) -> None:
        """Until so many more messages are acknowledged."""
        wanted = len(self.speakers.acked) + more
        await soon(lambda: len(self.speakers.acked) >= wanted)


@asynccontextmanager
async def a_town(engine: Engine, folder: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(serving(folder / name, engine=engine.url))
            for name in ("a", "b", "c")
        ]
        ports = [node.port for node in nodes]
        town = Town(nodes, Speakers(ports), [Listener(ports, at) for at in range(3)])
        async with trio.open_nursery() as nursery:
            for ear in town.listeners:
                nursery.start_soon(ear.listen)
            async with trio.open_nursery() as talking:
                for number in range(6):
                    talking.start_soon(town.speakers.talk, f"s{number}")
                await town.goes_on()
                yield town
                await town.goes_on()
                town.speakers.stop()
            await judge(town.nodes, town.speakers, town.listeners)
            nursery.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgechat.nodes.engine_connection._PING", 0.5)


async def test_calm(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path):
        pass


async def test_the_engine_is_killed_and_comes_back(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        for _ in range(2):
            await engine.kill()
            await trio.sleep(0.3)
            await engine.start()
            await town.goes_on()


async def test_the_engine_stands_still(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        engine.stall()
        await trio.sleep(3)
        engine.go_on()
        await town.goes_on()


async def test_links_are_cut(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        for _ in range(5):
            await engine.ask("CLIENT", "KILL", "TYPE", "pubsub")
            await town.goes_on(10)


async def test_the_engine_is_emptied(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        await engine.ask("FLUSHALL")
        await town.goes_on()


async def test_the_engine_comes_back_empty(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        await engine.kill()
        engine.forget_files()
        await engine.start()
        await town.goes_on()


async def test_the_engine_comes_back_without_its_last_lines(engine: Engine, tmp_path: Path) -> None:
    """As after a failover to a replica that was behind: nodes give back what was acknowledged."""
    async with a_town(engine, tmp_path) as town:
        engine.save_files()
        await town.goes_on(100)
        await engine.kill()
        engine.restore_files()
        await engine.start()
        await town.goes_on()


async def test_scripts_are_flushed(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        await engine.ask("SCRIPT", "FLUSH")
        await town.goes_on()


async def test_everybody_speaks_in_one_room_at_once(engine: Engine, tmp_path: Path) -> None:
    async with a_town(engine, tmp_path) as town:
        crowd = Speakers(town.speakers.ports)
        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(crowd.talk, f"fast{number}", 0.0)
            await soon(lambda: len(crowd.acked) > 300)
            crowd.stop()
        town.speakers.acked |= crowd.acked
