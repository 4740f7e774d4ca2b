"""A node of several workers: each is a node to the engine, and each file has one writer."""

from __future__ import annotations

import gc
from pathlib import Path

import trio

from edgechat.chat.names import RoomKey
from edgechat.settings import Settings
from edgechat.workers.front import Front
from edgechat.workers.placement import place_of
from tests.nodes.engine import Engine
from tests.nodes.judge import Listener, Speakers, judge, soon
from tests.serving.files import check
from tests.serving.running import program, serving
from tests.serving.talking import said
from tests.serving.wire import SOON, join


def room_at(worker: int) -> str:
    names = (f"room{n}" for n in range(1_000))
    return next(n for n in names if place_of(RoomKey(n, private=False), 2) == worker)


def the_front(data: Path) -> Front:
    (front,) = [
        each for each in gc.get_objects() if type(each) is Front and each._settings.data == data
    ]
    return front


async def test_people_on_both_see_the_same(engine: Engine, tmp_path: Path) -> None:
    """In rooms of each worker; files of rooms that nobody opened there are kept as well."""
    async with (
        serving(tmp_path / "a", engine=engine.url, workers=2) as node,
        serving(tmp_path / "b", engine=engine.url) as other,
    ):
        for room in (room_at(0), room_at(1)):
            alice, bob = await join(node.port, "alice", room), await join(other.port, "bob", room)
            with trio.fail_after(SOON):
                await alice.until("joined", "bob")
                for n in range(5):
                    line = await said(bob, f"b{n}")
                    assert (await alice.until("seq", line["seq"]))["h"] == line["h"]
                    line = await said(alice, f"a{n}")
                    assert (await bob.until("seq", line["seq"]))["h"] == line["h"]
        closed = await join(other.port, "bob", room_at(0) + "-closed")
        await said(closed, "nobody is here")
        for room in (room_at(0), room_at(1), room_at(0) + "-closed"):
            files = [each.file(room) for each in (node, other)]
            await soon(lambda files=files: all(file.exists() for file in files))  # type: ignore[misc]
            await soon(lambda files=files: len({file.read_bytes() for file in files}) == 1)  # type: ignore[misc]


async def test_what_a_folder_has_is_told_before_its_workers_serve(
    engine: Engine, tmp_path: Path
) -> None:
    async with serving(tmp_path / "a") as alone:
        for room in (room_at(0), room_at(1)):
            await said(await join(alone.port, "alice", room), "old")
    async with (
        serving(tmp_path / "a", engine=engine.url, workers=2),
        serving(tmp_path / "b", engine=engine.url) as other,
    ):
        for room in (room_at(0), room_at(1)):
            answer = await other.get(f"/api/room/{room}/history")
            assert b'"message":"old"' in answer.body


async def test_workers_are_killed_and_replaced_under_load(engine: Engine, tmp_path: Path) -> None:
    """All files are the same afterwards, and nobody missed or saw a line twice."""
    async with (
        serving(tmp_path / "a", engine=engine.url, workers=2) as node,
        serving(tmp_path / "b", engine=engine.url) as other,
    ):
        front, room = the_front(tmp_path / "a"), room_at(1)
        ports = [node.port, other.port]
        speakers = Speakers(ports, room)
        ears = [Listener(ports, at, room) for at in range(2)]
        async with trio.open_nursery() as nursery:
            for ear in ears:
                nursery.start_soon(ear.listen)
            async with trio.open_nursery() as talking:
                for name in "xyz":
                    talking.start_soon(speakers.talk, name)

                async def goes_on() -> None:
                    wanted = len(speakers.acked) + 30
                    await soon(lambda: len(speakers.acked) > wanted)

                await goes_on()
                for _ in range(2):
                    before = front._supervisor.slots[1].worker
                    assert before is not None
                    before.kill()
                    await soon(
                        lambda before=before: (
                            front._supervisor.slots[1].worker  # type: ignore[misc]
                            not in (None, before)
                        )
                    )
                    await goes_on()
                assert await front._supervisor.replace_all()
                await goes_on()
                speakers.stop()
            await judge([node, other], speakers, ears, room)
            nursery.cancel_scope.cancel()


async def test_by_the_command(engine: Engine, tmp_path: Path) -> None:
    async with program(tmp_path / "a", "--engine", engine.url, "--workers", "2") as node:
        for worker in (0, 1):
            await said(await join(node.port, "alice", room_at(worker)), "hi")
        assert await node.stop() == 0
        for worker in (0, 1):
            assert [line["message"] for line in check(node.file(room_at(worker)))] == ["hi"]
        assert node.log() == ""
    assert Settings().workers == 1
