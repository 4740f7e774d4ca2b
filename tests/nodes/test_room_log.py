"""An open room's log: a file, and behind it what is not written yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.history.room_history import History
from edgechat.rooms.storage import Moved
from tests.nodes.engine import Engine
from tests.nodes.judge import soon
from tests.nodes.nodes import Node, a_node
from tests.rooms.storage_contract import LOBBY, brief, follow, head, raw, say


@pytest.fixture(autouse=True)
def _write_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgechat.nodes.archivist._WRITE", 1e9)


def write_meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, write: Callable[[], Any]) -> None:
    """While the file is read, what is not in it yet is written to it."""
    read = getattr(History, name)

    async def reading(self: History, *args: int) -> Any:
        found = await read(self, *args)
        await write()
        return found

    monkeypatch.setattr(History, name, reading)


async def begun(node: Node) -> Any:
    """A log with ten lines in its file, and ten that are not."""
    log: Any = await node.storage.open(LOBBY)
    await say(node, log, 10, ids=True)
    await node.nodes.archivist.write(log)
    last = (await log.after(9, 1))[0]
    assert last.line is not None
    after = head(log)
    lines = follow(after, [f"m{n}" for n in range(20)], ids=True)
    await node.store((log, lines[9], raw(lines[10:])))
    return log


@pytest.mark.parametrize("name", ["ids", "after", "before"])
async def test_nothing_is_missed_that_is_written_while_it_is_read(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with a_node(engine, tmp_path / "data") as node:
        log = await begun(node)
        assert log.written == 10
        write_meanwhile(monkeypatch, name, lambda: node.nodes.archivist.write(log))
        if name == "ids":
            assert await log.ids(100) == {f"m{n}": n + 1 for n in range(20)}
        elif name == "after":
            assert [entry.seq for entry in await log.after(0, 100)] == list(range(1, 21))
        else:
            assert [entry.seq for entry in await log.before(21, 100)] == list(range(1, 21))
        assert log.written == 20
        log.close()


async def test_a_line_is_read_when_the_room_was_told_of_it(engine: Engine, tmp_path: Path) -> None:
    async with a_node(engine, tmp_path / "a") as one, a_node(engine, tmp_path / "b") as other:
        woken: list[int] = []
        log = await one.storage.open(LOBBY)
        there = await other.storage.open(LOBBY, lambda: woken.append(1))
        lines = await say(one, log, 5, ids=True)
        await soon(lambda: there.tip.seq == 5)  # type: ignore[attr-defined]
        assert woken
        assert (list(await there.after(0, 9)), await there.ids(9)) == ([], {})
        assert (
            await other.answer(there, head(there), raw(follow(head(there), ["late"]))) is not None
        )
        assert list(there.heard()) == lines
        assert brief(await there.after(0, 9)) == [(line.seq, line.line) for line in lines]
        assert list(there.heard()) == []
        await other.store((there, lines[-1], raw(follow(lines[-1], ["more"]))))
        for each in (log, there):
            each.close()


async def test_one_of_two_who_speak_at_once_is_too_late(engine: Engine, tmp_path: Path) -> None:
    async with a_node(engine, tmp_path / "a") as one, a_node(engine, tmp_path / "b") as other:
        logs = [(node, await node.storage.open(LOBBY)) for node in (one, other)]
        answers: list[Exception | None] = []

        async def speak(node: Node, log: Any) -> None:
            text = node.folder.name
            answers.append(await node.answer(log, head(log), raw(follow(head(log), [text]))))

        async with trio.open_nursery() as nursery:
            for node, log in logs:
                nursery.start_soon(speak, node, log)
        assert sorted(map(type, answers), key=str) == sorted([type(None), Moved], key=str)
        for _, log in logs:
            log.close()
