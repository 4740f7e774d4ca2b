"""What the simulation found in nodes: each mended, and tried here with a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from edgechat import system
from edgechat.chat.names import RoomKey
from tests.nodes.engine import Engine
from tests.nodes.judge import soon
from tests.nodes.nodes import Node, a_node
from tests.rooms.storage_contract import LOBBY, follow, head, say


def texts(node: Node) -> bytes:
    return node.file().read_bytes() if node.file().exists() else b""


def are_same(one: Node, other: Node) -> bool:
    return texts(one) == texts(other) != b""


async def test_a_closed_rooms_file_that_failed_is_tried_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its room is not opened again, and nobody says any more there."""
    async with a_node(engine, tmp_path / "a") as one, a_node(engine, tmp_path / "b") as other:
        log = await one.storage.open(LOBBY)
        begin, failed = system.open, list[Path]()

        def fail(path: Path, *args: int) -> int:
            if str(path) == str(other.file()):
                failed.append(path)
                raise OSError(28, "No space left on device")
            return begin(path, *args)

        monkeypatch.setattr(system, "open", fail)
        await say(one, log, 2)
        await soon(lambda: len(failed) > 1)  # to look where it ends, and to open it
        monkeypatch.setattr(system, "open", begin)
        await soon(lambda: are_same(one, other))
        log.close()


async def test_who_looks_for_what_was_said_does_not_wait_for_an_open_room(
    engine: Engine, tmp_path: Path
) -> None:
    async with a_node(engine, tmp_path / "a") as node:
        give_back = await node.nodes._archives.take(LOBBY)  # as a room that opens has it
        with trio.fail_after(5):
            await node.nodes._upkeep.keep(LOBBY)
        assert LOBBY in node.nodes._upkeep.troubles
        give_back()
        await soon(lambda: not node.nodes._upkeep.troubles)


async def test_files_of_other_processes_do_not_keep_ours_from_their_turn(
    engine: Engine, tmp_path: Path
) -> None:
    async with a_node(engine, tmp_path / "a") as node:
        lookout, troubles = node.nodes._lookout, node.nodes._upkeep.troubles
        lookout.has = lambda key: key == LOBBY
        troubles.update({RoomKey(f"other-{n}", private=False): "" for n in range(200)})
        troubles[LOBBY] = ""
        await soon(lambda: LOBBY not in troubles)
        assert len(troubles) == 200


async def test_an_emptied_engine_gets_open_rooms_again(engine: Engine, tmp_path: Path) -> None:
    """Also those in which nobody says anything; and the nodes' key, before others have one."""
    async with a_node(engine, tmp_path / "a") as one, a_node(engine, tmp_path / "b") as other:
        logs = [await node.storage.open(LOBBY) for node in (one, other)]
        await say(one, logs[0], 3)
        seen = [node.nodes._lookout for node in (one, other)]
        await soon(lambda: all(lookout._mark is not None for lookout in seen))
        marks = {lookout._mark for lookout in seen}
        assert len(marks) == 1
        await engine.ask("FLUSHALL")
        await soon(lambda: len({look._mark for look in seen}) == 1 and seen[0]._mark not in marks)
        with trio.fail_after(10):
            while b"\r\n3\r\n" not in await engine.ask("HGET", one_meta(logs[0]), "seq"):
                await trio.lowlevel.checkpoint()
        assert b"\r\n" + bytes(range(32)) + b"\r\n" in await engine.ask("GET", "ec:{0}:key")
        for log in logs:
            log.close()


def one_meta(log: object) -> str:
    return str(log.keys.meta)  # type: ignore[attr-defined]


async def test_a_fork_at_the_first_line_leaves_no_other_header(
    engine: Engine, tmp_path: Path
) -> None:
    """A header follows from the first line: two nodes that began without each other have two."""
    async with a_node(engine, tmp_path / "a") as one:
        log = await one.storage.open(LOBBY)
        await say(one, log, 1)
        log.close()
    header = texts(one)
    await engine.ask("FLUSHALL")
    async with a_node(engine, tmp_path / "b") as other:
        log = await other.storage.open(LOBBY)
        later = head(log).next(1_763_880_123_456, b'"bob"', b'"message":"other"}')
        assert await other.answer(log, head(log), [later.line]) is None
        log.close()
        async with a_node(engine, tmp_path / "a") as one:
            log = await one.storage.open(LOBBY)
            await soon(lambda: are_same(one, other))
            log.close()
        (kept,) = one.file().parent.glob("*.forked-*")
        assert kept.read_bytes() == header


async def test_a_turn_is_answered_for_its_own_rooms_alone(engine: Engine, tmp_path: Path) -> None:
    """A room that a new link brings level finds its lines stored, while others speak."""
    async with a_node(engine, tmp_path / "a") as node:
        log = await node.storage.open(LOBBY)
        lines = [line.line for line in follow(head(log), ["one"])]
        node.storage.submit(log, head(log), lines, 7)
        node.storage.send()
        flight = log.flight  # type: ignore[attr-defined]
        log.store(flight)  # type: ignore[attr-defined]
        assert node.storage.send() == []  # the end of another room's turn
        await soon(lambda: node.answers.get(7, flight) is None)
        log.close()
