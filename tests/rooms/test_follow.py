"""Followers: every line once and in order, and nobody is told of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close, StorageUnavailable
from edgechat.chat.line import NOWHERE, Token
from edgechat.rooms.follow import Extreme, Since, Stamp, Start, find_start, follow, read_all
from edgechat.rooms.socket import Disconnected
from tests.chat.rooms import BASE, NOW_MS, h_of, lines

from .fakes import LOBBY, World, a_world


def encode(some: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in some)


class Stream:
    """Takes what it is sent."""

    def __init__(self) -> None:
        self.data = b""
        self.closed: Close | None = None
        self.scope = trio.CancelScope()
        self.may_drain = trio.Event()
        self.may_drain.set()

    def write(self, frames: bytes) -> None:
        self.data += frames

    async def drained(self) -> None:
        await self.may_drain.wait()
        if self.closed is not None:
            raise Disconnected

    def close(self, code: Close, reason: str) -> None:
        self.closed = code
        self.scope.cancel()

    def lines(self) -> list[bytes]:
        return self.data.splitlines()


async def run(world: World, stream: Stream, after: int) -> None:
    room = world.rooms.get(LOBBY)
    with stream.scope, room.visit(stream):
        await room.wait_opened()
        try:
            await follow(room, room.history.after, after, stream, encode)
            await trio.sleep_forever()
        finally:
            room.fanout.unfollow(stream, encode)


async def start(world: World, since: Since) -> Start:
    room = world.rooms.get(LOBBY)
    with room.visit():
        await room.wait_opened()
        return await find_start(room, room.history.after, since, 100)


async def test_what_there_is_and_what_comes(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    async with a_world(recent_lines=50) as world:
        world.storage.files[LOBBY] = [*lines(3_000)]
        stream, late = Stream(), Stream()
        nursery.start_soon(run, world, stream, 10)
        nursery.start_soon(run, world, late, 2_990)
        alice = await world.join("alice")
        alice.take()
        alice.say("hi")
        await wait_all_tasks_blocked()
        file = world.storage.files[LOBBY]
        assert len(file) == 3_001
        assert stream.lines() == file[10:]
        assert late.lines() == file[2_990:]
        assert alice.briefs() == ["3001 hi"]
        room = world.room()
        assert room is not None
        assert (room.fanout.followers, len(room.fanout)) == (2, 1)
        stream.scope.cancel()
        late.scope.cancel()
        await wait_all_tasks_blocked()
        assert room.fanout.followers == 0


async def test_lines_that_are_under_way(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """They are told once, whether one comes before or after the storage has answered."""
    async with a_world() as world:
        alice = await world.join("alice")
        world.storage.may_append = trio.Event()
        alice.say("one")
        await wait_all_tasks_blocked()
        early, late = Stream(), Stream()
        nursery.start_soon(run, world, early, 0)
        await wait_all_tasks_blocked()
        assert early.lines() == []  # what nobody saw may still be lost
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        nursery.start_soon(run, world, late, 0)
        await wait_all_tasks_blocked()
        assert early.lines() == late.lines() == world.storage.files[LOBBY]
        early.scope.cancel()
        late.scope.cancel()


async def test_what_could_not_be_stored_is_not_told(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    async with a_world() as world:
        stream = Stream()
        nursery.start_soon(run, world, stream, 0)
        alice = await world.join("alice")
        world.storage.fail_append = StorageUnavailable("No space left on device")
        alice.say("lost")
        await wait_all_tasks_blocked()
        world.storage.fail_append = None
        alice.say("kept")
        await wait_all_tasks_blocked()
        assert world.storage.texts() == ["kept"]
        assert stream.lines() == world.storage.files[LOBBY]
        stream.scope.cancel()


async def test_a_room_lives_as_long_as_it_is_followed(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    async with a_world() as world:
        stream = Stream()
        nursery.start_soon(run, world, stream, 0)
        await trio.sleep(10 * world.settings.room_idle)
        room = world.room()
        assert room is not None
        room.stop()
        await wait_all_tasks_blocked()
        assert stream.closed is Close.RESTART
        assert world.room() is None


async def test_who_does_not_read_waits_alone(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    async with a_world(recent_lines=50) as world:
        world.storage.files[LOBBY] = [*lines(3_000)]
        stream = Stream()
        stream.may_drain = trio.Event()
        nursery.start_soon(run, world, stream, 0)
        alice = await world.join("alice")
        for number in range(100):  # the room goes on behind its memory
            alice.say(f"{number}")
            await wait_all_tasks_blocked()
        assert len(stream.lines()) == 1_000
        stream.may_drain.set()
        await wait_all_tasks_blocked()
        assert stream.lines() == world.storage.files[LOBBY]
        stream.scope.cancel()


async def test_damaged_lines(autojump_clock: MockClock) -> None:
    async with a_world(recent_lines=5) as world:
        made = lines(10)
        world.storage.files[LOBBY] = [made[0], None, *made[2:8], None, made[9]]
        room = world.rooms.get(LOBBY)
        with room.visit():
            await room.wait_opened()
            found = [line async for page in read_all(room, room.history.after, 0) for line in page]
        lost = [b'{"seq":%d,"kind":"lost"}' % seq for seq in (2, 9)]
        assert found == [made[0], lost[0], *made[2:8], lost[1], made[9]]


async def test_where_a_follower_begins(autojump_clock: MockClock) -> None:
    async with a_world(recent_lines=50) as world:
        assert await start(world, Extreme.HEAD) == Start(0, NOWHERE, NOWHERE)
        assert await start(world, NOWHERE) == Start(0, NOWHERE, NOWHERE)
        await trio.sleep(world.settings.room_idle + 1)
        made = lines(300)
        world.storage.files[LOBBY] = [*made]
        head = Token(300, h_of(made[299]).hex())
        tenth = Token(10, h_of(made[9]).hex())
        assert await start(world, Extreme.HEAD) == Start(300, head, head)
        assert await start(world, Extreme.START) == Start(0, BASE, head)
        assert await start(world, tenth) == Start(10, tenth, head)
        assert await start(world, 10) == Start(10, None, head)
        assert await start(world, 301) == Start(200, None, head, "forked")
        assert await start(world, Token(10, "0" * 16)) == Start(200, None, head, "forked")


@pytest.mark.parametrize("damaged", [(), (150,), (100, 149, 150, 151, 152, 250)])
async def test_a_time_is_found(autojump_clock: MockClock, damaged: tuple[int, ...]) -> None:
    """Line n has the timestamp `NOW_MS + n - 1`."""
    async with a_world(recent_lines=50) as world:
        made = lines(300)
        world.storage.files[LOBBY] = [
            None if seq in damaged else line for seq, line in enumerate(made, 1)
        ]
        for seq in (0, 1, 42, 99, 153, 200, 299):
            found = await start(world, Stamp(NOW_MS + seq))
            assert found.after == seq, seq
        assert (await start(world, Stamp(NOW_MS + 5_000))).after == 300
        assert (await start(world, Stamp(0))).after == 0
