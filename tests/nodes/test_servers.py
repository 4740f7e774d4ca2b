"""Servers on one engine: whoever speaks where, all members see the same lines."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.nodes.errors import EngineError
from tests.nodes.engine import Engine, an_engine
from tests.nodes.judge import Listener, Speakers, judge, soon
from tests.serving.files import check
from tests.serving.running import Running, program, serving
from tests.serving.talking import Broken, resume, said
from tests.serving.wire import SOON, Wire, join


@asynccontextmanager
async def nodes(engine: Engine, *folders: Path) -> AsyncIterator[list[Running]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(serving(folder, engine=engine.url))
            for folder in folders
        ]


def places(lines: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(line["seq"], line["h"]) for line in lines]


def token(line: dict[str, Any]) -> dict[str, Any]:
    return {"seq": line["seq"], "h": line["h"]}


async def all_lines(wires: list[Wire], last: int) -> list[list[dict[str, Any]]]:
    with trio.fail_after(SOON):
        return [await wire.lines(last) for wire in wires]


async def test_members_of_all_nodes_see_the_same(engine: Engine, tmp_path: Path) -> None:
    async with nodes(engine, *(tmp_path / name for name in "abc")) as three:
        wires = [await join(node.port, f"n{at}") for at, node in enumerate(three)]
        for number in range(30):
            await wires[number % 3].say(f"m{number}")
        heard = await all_lines(wires, 30)
        assert places(heard[0]) == places(heard[1]) == places(heard[2])
        assert {line["message"] for line in heard[0]} == {f"m{number}" for number in range(30)}
    files = [node.file().read_bytes() for node in three]
    assert files[0] == files[1] == files[2]
    assert places(check(three[0].file())) == places(heard[0])


async def test_who_moves_to_another_node_resumes_there(engine: Engine, tmp_path: Path) -> None:
    """At once: the other node may not have heard the newest line yet."""
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as (one, other):
        alice, bob = await join(one.port, "alice"), await join(other.port, "bob")
        for number in range(20):
            line = await said(alice, f"m{number}")
            lines, ready = await resume(other, token(line))
            assert ready["recovered"] is True
            assert lines == []
            await bob.until("seq", line["seq"])
            missed = await said(bob, f"n{number}")
            lines, ready = await resume(one, token(line))
            assert ready["recovered"] is True
            assert [json.loads(each)["h"] for each in lines] == [missed["h"]]
            await alice.until("seq", missed["seq"])


async def test_a_place_in_another_history_is_told_so(engine: Engine, tmp_path: Path) -> None:
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as (one, other):
        alice = await join(one.port, "alice")
        line = await said(alice, "hi")
        for wrong in ({**token(line), "h": "0" * 16}, {"seq": 99, "h": line["h"]}):
            _, ready = await resume(other, wrong)
            assert (ready["recovered"], ready["reason"]) == (False, "forked")


async def test_a_message_repeated_at_another_node_is_stored_once(
    engine: Engine, tmp_path: Path
) -> None:
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as (one, other):
        first = await said(await join(one.port, "alice"), "once", id="c1")
        elsewhere = await join(other.port, "alice")
        assert await said(elsewhere, "once", id="c1") == first
        conflict = await said(elsewhere, "something else", id="c1")
        assert conflict["code"] == "id_conflict"
    assert len(check(one.stored())) == 1


async def test_both_at_the_same_time_is_stored_once(engine: Engine, tmp_path: Path) -> None:
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as both:
        speakers = [Speakers([node.port]) for node in both]
        async with trio.open_nursery() as nursery:
            for number in range(40):
                for each in speakers:
                    nursery.start_soon(each.say, f"m{number}")
        assert speakers[0].acked == speakers[1].acked
        await judge(both, speakers[0])
    assert len(check(both[0].file())) == 40


async def test_a_node_is_killed(engine: Engine, tmp_path: Path) -> None:
    """Its members go on at another one; when it is back it has what it missed."""
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as two:
        options = ("--engine", engine.url)
        async with program(tmp_path / "c", *options) as third:
            ports = [third.port, *(node.port for node in two)]
            speakers, ear = Speakers(ports), Listener(ports, 0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ear.listen)
                async with trio.open_nursery() as talking:
                    for name in "xyz":
                        talking.start_soon(speakers.talk, name)
                    await soon(lambda: len(speakers.acked) > 40 and len(ear.shown) > 20)
                    third.process.send_signal(signal.SIGKILL)
                    await third.process.wait()
                    before = len(speakers.acked)
                    await soon(lambda: len(speakers.acked) > before + 40)
                    speakers.stop()
                await judge(two, speakers, [ear])
                nursery.cancel_scope.cancel()
        async with serving(tmp_path / "c", engine=engine.url) as third_again:
            await judge([*two, third_again], speakers)


async def test_from_one_process_to_nodes_and_back(engine: Engine, tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as alone:
        old = [
            await said(await join(alone.port, "alice"), f"old {n}", id=f"o{n}") for n in range(5)
        ]
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as both:
        lines, ready = await resume(both[1], token(old[1]))
        assert ready["recovered"] is True
        assert [json.loads(line)["h"] for line in lines] == [line["h"] for line in old[2:]]
        bob = await join(both[1].port, "bob")
        new = [await said(bob, f"new {n}") for n in range(5)]
        assert (await said(bob, "another", id="o4"))["code"] == "id_conflict"
    contents = [node.file().read_bytes() for node in both]
    assert contents[0] == contents[1]
    async with serving(tmp_path / "b") as alone:
        lines, ready = await resume(alone, token(new[0]))
        assert ready["recovered"] is True
        assert [json.loads(line)["h"] for line in lines] == [line["h"] for line in new[1:]]
        more = await said(await join(alone.port, "alice"), "alone again")
    async with nodes(engine, tmp_path / "b", tmp_path / "a") as both:
        lines, _ = await resume(both[1], token(new[-1]))
        assert [json.loads(line)["h"] for line in lines] == [more["h"]]
        await soon(lambda: both[0].file().read_bytes() == both[1].file().read_bytes())


async def test_a_new_node_gets_what_the_engine_has_let_go_of(
    engine: Engine, tmp_path: Path
) -> None:
    async with nodes(engine, tmp_path / "a") as (first,):
        alice = await join(first.port, "alice")
        for number in range(10):
            await said(alice, f"m{number}")
        await soon(lambda: first.file().exists() and len(first.lines()) == 10)
        await engine.ask("XTRIM", "ec:{0}:s:r:lobby", "MAXLEN", "2")
        async with nodes(engine, tmp_path / "b") as (second,):
            answer = await second.get("/api/room/lobby/history?limit=100")
            assert answer.body == b"".join(line + b"\n" for line in first.lines())
            await soon(lambda: second.file().exists())
            assert second.file().read_bytes() == first.file().read_bytes()


async def test_a_node_without_siblings_says_what_it_lacks(engine: Engine, tmp_path: Path) -> None:
    async with nodes(engine, tmp_path / "a") as (first,):
        for number in range(5):
            await said(await join(first.port, "alice"), f"m{number}")
    await engine.ask("XTRIM", "ec:{0}:s:r:lobby", "MAXLEN", "2")
    async with nodes(engine, tmp_path / "b") as (second,):
        with trio.fail_after(SOON):
            answer = await second.get("/api/room/lobby/history")
        assert answer.status == 503


async def test_a_lost_push_is_found(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgechat.nodes.appends import Appends

    async with nodes(engine, tmp_path / "a", tmp_path / "b") as (one, other):
        alice, bob = await join(one.port, "alice"), await join(other.port, "bob")
        monkeypatch.setattr(Appends, "hear", lambda *args: None)
        line = await said(alice, "who hears this?")
        with trio.fail_after(SOON):
            assert (await bob.until("message"))["h"] == line["h"]


async def test_a_file_that_is_not_the_rooms_is_set_aside(engine: Engine, tmp_path: Path) -> None:
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as (one, _):
        alice = await join(one.port, "alice")
        common = [await said(alice, f"m{n}") for n in range(3)]
    async with serving(tmp_path / "a") as alone:
        await said(await join(alone.port, "alice"), "only here")
    shutil.copytree(tmp_path / "a", tmp_path / "a was")
    async with nodes(engine, tmp_path / "b") as (other,):
        there = await said(await join(other.port, "bob"), "in its place")
    async with nodes(engine, tmp_path / "a") as (one,):
        lines, ready = await resume(one, token(common[-1]))
        assert ready["recovered"] is True
        assert [json.loads(line)["h"] for line in lines] == [there["h"]]
        assert places(check(one.stored())) == [*places(common), *places([there])]
        (kept,) = one.file().parent.glob("*.forked-*")
        assert json.loads(kept.read_bytes())["message"] == "only here"


async def test_a_full_disk_holds_nobody_up(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nodes(engine, tmp_path / "a") as (node,):
        alice, bob = await join(node.port, "alice"), await join(node.port, "bob")
        await said(alice, "before")
        await soon(lambda: node.file().exists() and len(node.lines()) == 1)
        disk = Broken(monkeypatch, "write")
        disk.failing = True
        lines = [await said(alice, f"m{n}") for n in range(3)]
        await soon(lambda: disk.calls > 1)
        assert (await node.get("/readyz")).status == 503
        assert places(await bob.lines(4))[1:] == places(lines)
        answer = await node.get("/api/room/lobby/history")
        assert len(answer.body.splitlines()) == 4
        disk.failing = False
        await soon(lambda: len(node.lines()) == 4)
        assert len(check(node.stored())) == 4


async def test_private_rooms_are_the_same_on_all_nodes(engine: Engine, tmp_path: Path) -> None:
    async with nodes(engine, tmp_path / "a", tmp_path / "b") as (one, other):
        room = (await one.ask("POST", "/api/room")).body.decode()
        line = await said(await join(one.port, "alice", room), "hush")
        bob = await join(other.port, "bob", room)
        assert (await said(bob, "yes"))["seq"] == line["seq"] + 1
    assert (tmp_path / "a" / "key").read_bytes() == (tmp_path / "b" / "key").read_bytes()


async def refused(engine: Engine, folder: Path) -> str:
    """Why a node does not start."""
    with pytest.raises(EngineError) as found:  # noqa: PT012
        try:
            async with serving(folder, engine=engine.url):
                pass
        except* EngineError as group:
            raise group.exceptions[0] from None
    return str(found.value)


async def test_a_folder_with_other_private_rooms_can_not_be_a_node(
    engine: Engine, tmp_path: Path
) -> None:
    async with serving(tmp_path / "a") as alone:
        room = (await alone.ask("POST", "/api/room")).body.decode()
        await said(await join(alone.port, "alice", room), "hush")
    async with nodes(engine, tmp_path / "b"):
        assert "another key" in await refused(engine, tmp_path / "a")


async def test_an_engine_that_throws_keys_away_is_refused(short_path: Path, tmp_path: Path) -> None:
    async with an_engine(short_path / "e", "--maxmemory-policy", "allkeys-lru") as engine:
        assert "noeviction" in await refused(engine, tmp_path / "a")


async def test_an_engine_without_aof_is_warned_of(
    short_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        an_engine(short_path / "e", "--appendonly", "no") as engine,
        nodes(engine, tmp_path / "a"),
    ):
        assert "no append-only file" in caplog.text


async def test_a_start_without_an_engine_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgechat.nodes.joining._PATIENCE", 0.3)
    with pytest.raises(ExceptionGroup) as found:
        async with serving(tmp_path / "a", engine=f"unix://{tmp_path}/none"):
            pass
    (error,) = found.value.exceptions
    assert isinstance(error, EngineError)
    assert "can't be used" in str(error)


def test_without_its_package_a_node_says_what_to_install(tmp_path: Path) -> None:
    """And a server without an engine does not ask for it."""
    code = (
        "import sys; sys.modules['hiredis'] = None; import edgechat.server\n"
        "from edgechat.cli.main import main\n"
        f"main(['serve', '--engine', 'redis://x', '--data', {str(tmp_path / 'a')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'edgechat[nodes]'" in done.stderr
