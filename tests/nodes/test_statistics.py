"""What a node counts of its engine and of its files."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from edgechat.metrics.numbers import add_up
from tests.nodes.engine import Engine
from tests.nodes.judge import soon
from tests.nodes.nodes import Node, a_node
from tests.rooms.storage_contract import LOBBY, follow, head, raw, say
from tests.serving.running import serving
from tests.serving.wire import SOON


async def test_appends_what_moved_and_what_was_given_back(engine: Engine, tmp_path: Path) -> None:
    async with a_node(engine, tmp_path / "a") as one, a_node(engine, tmp_path / "b") as other:
        logs = [(node, await node.storage.open(LOBBY)) for node in (one, other)]

        async def speak(node: Node, log: object) -> None:
            text = node.folder.name
            await node.answer(log, head(log), raw(follow(head(log), [text])))  # type: ignore[arg-type]

        async with trio.open_nursery() as nursery:
            for node, log in logs:
                nursery.start_soon(speak, node, log)
        both = [node.nodes.statistics() for node in (one, other)]
        assert sum(each.appends for each in both) == 1
        assert sum(each.moved for each in both) <= 1
        assert [each.links for each in both] == [1, 1]
        assert all(each.is_up and 0 < each.ping < SOON for each in both)
        assert [each.mended for each in both] == [0, 0]
        await engine.kill()
        await soon(lambda: not one.is_linked)
        assert not one.nodes.statistics().is_up
        engine.forget_files()
        await engine.start()
        await soon(lambda: one.is_linked and other.is_linked)
        both = [node.nodes.statistics() for node in (one, other)]
        assert sum(each.mended for each in both) == 1
        assert [each.links for each in both] == [2, 2]
        for _, log in logs:
            log.close()


async def test_how_far_the_files_are_behind(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgechat.nodes.archivist._WRITE", 0.05)
    async with a_node(engine, tmp_path / "data") as node:
        log = await node.storage.open(LOBBY)
        await say(node, log, 3)
        await soon(lambda: node.nodes.statistics().lines_behind == 0)
        with monkeypatch.context() as broken:

            def fail(*args: object) -> None:
                raise OSError(28, "No space left on device")

            broken.setattr("edgechat.system.write", fail)
            last = (await log.after(2, 1))[0]
            assert last.line is not None
            lines = follow(head(log), [f"m{n}" for n in range(5)])
            assert await node.answer(log, lines[2], raw(lines[3:])) is None
            await soon(lambda: node.nodes.statistics().seconds_behind > 0.3)
            assert node.nodes.statistics().lines_behind == 2
        await soon(lambda: node.nodes.statistics().seconds_behind < 0.3)
        assert node.nodes.statistics().lines_behind == 0
        log.close()


async def test_a_fork_is_counted(engine: Engine, tmp_path: Path) -> None:
    async with a_node(engine, tmp_path / "a") as node:
        log = await node.storage.open(LOBBY)
        await say(node, log, 3)
        await engine.ask("HSET", "ec:{0}:m:r:lobby", "h", "0" * 16)
        await soon(lambda: node.nodes.statistics().forks == 1)
        log.close()


async def test_a_scrape_has_them_only_with_an_engine(engine: Engine, tmp_path: Path) -> None:
    from edgechat.metrics.numbers import numbers_of
    from edgechat.server import _Server

    servers: list[_Server] = []
    real = _Server.run

    async def run(self: _Server, *args: object) -> None:
        servers.append(self)
        await real(self, *args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Server, "run", run)
        async with serving(tmp_path / "a"), serving(tmp_path / "b", engine=engine.url):
            alone, node = [numbers_of(server.statistics()) for server in servers]
    assert "edgechat_engine_up" not in alone
    assert node["edgechat_engine_up"] == {"": 1.0}
    other = {"edgechat_engine_up": {"": 0.0}, "edgechat_engine_links_total": {"": 4.0}}
    both = add_up([node, other])
    assert both["edgechat_engine_up"] == {"": 0.0}
    assert both["edgechat_engine_links_total"] == {"": 5.0}
