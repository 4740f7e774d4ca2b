"""What was said in one turn of the poller: in one room a batch, and all rooms go step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close, HistoryChanged, StorageUnavailable
from edgechat.chat.names import RoomKey

from .fakes import FakeLog, FakeSocket, FakeStorage, World, a_world

A, B, C = (RoomKey(name, private=False) for name in "abc")


@pytest.fixture(autouse=True)
def _storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appends are quick: one that waits is none of a turn's."""
    monkeypatch.setattr(FakeStorage, "waits", False)


def log_of(world: World, key: RoomKey) -> Any:
    room = world.rooms.find(key)
    assert room is not None
    return room.history


async def in_one_turn(world: World, said: Sequence[tuple[FakeSocket, str]]) -> None:
    """Several say something before the turn is over."""
    for socket, text in said:
        socket.take()
        socket.finish_turn = lambda: None
        socket.say(text)
    await wait_all_tasks_blocked()
    world.turn.finish()
    await wait_all_tasks_blocked()
    for socket, _ in said:
        socket.finish_turn = world.turn.finish


async def test_what_is_said_in_one_room_is_one_batch(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        sockets = [await world.join(name) for name in ("alice", "bob", "carol")]
        writes = [socket.writes for socket in sockets]
        await in_one_turn(world, [(socket, f"m{n}") for n, socket in enumerate(sockets)])
        assert world.storage.appends == 1
        assert [socket.writes for socket in sockets] == [before + 1 for before in writes]
        heard = sockets[0].briefs()
        assert {line.split()[1] for line in heard} == {"m0", "m1", "m2"}
        assert [line.split()[0] for line in heard] == ["1", "2", "3"]
        assert sockets[1].briefs() == sockets[2].briefs() == heard


async def test_all_rooms_store_before_the_first_one_tells(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    submit, store, write = FakeStorage.submit, FakeLog.store, FakeSocket.write
    async with a_world() as world:
        sockets = [await world.join("alice", key=key) for key in (A, B, C)]

        def submitting(storage: FakeStorage, *submission: Any) -> None:
            steps.append("submit")
            submit(storage, *submission)

        def storing(log: FakeLog, lines: Sequence[bytes]) -> Exception | None:
            steps.append("store")
            return store(log, lines)

        def writing(socket: FakeSocket, data: bytes) -> None:
            steps.append("tell")
            write(socket, data)

        monkeypatch.setattr(FakeStorage, "submit", submitting)
        monkeypatch.setattr(FakeLog, "store", storing)
        monkeypatch.setattr(FakeSocket, "write", writing)
        await in_one_turn(world, [(socket, "hi") for socket in sockets])
        assert steps == ["submit"] * 3 + ["store"] * 3 + ["tell"] * 3
        assert [socket.briefs() for socket in sockets] == [["1 hi"]] * 3


def odd(*_: object) -> Any:
    raise ZeroDivisionError("odd")


def spoil_decide(world: World, socket: FakeSocket, patch: pytest.MonkeyPatch) -> None:
    room = world.rooms.find(B)
    assert room is not None
    next(iter(room.state.roster.sessions)).allowance.spend = odd  # type: ignore[assignment, method-assign]


def spoil_submit(world: World, socket: FakeSocket, patch: pytest.MonkeyPatch) -> None:
    log_of(world, B).head = odd


def spoil_answer(world: World, socket: FakeSocket, patch: pytest.MonkeyPatch) -> None:
    log_of(world, B).store = lambda lines: ZeroDivisionError("odd")


def spoil_apply(world: World, socket: FakeSocket, patch: pytest.MonkeyPatch) -> None:
    room = world.rooms.find(B)
    assert room is not None
    patch.setattr(room.state, "backlog", None)


def spoil_tell(world: World, socket: FakeSocket, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(socket, "write", odd)


@pytest.mark.parametrize(
    "spoil", [spoil_decide, spoil_submit, spoil_answer, spoil_apply, spoil_tell]
)
async def test_a_defect_at_any_step_ends_that_room_alone(
    autojump_clock: MockClock,
    defects: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[World, FakeSocket, pytest.MonkeyPatch], None],
) -> None:
    async with a_world() as world:
        a, b, c = [await world.join("alice", key=key) for key in (A, B, C)]
        spoil(world, b, monkeypatch)
        await in_one_turn(world, [(a, "hi"), (b, "hi"), (c, "hi")])
        assert [socket.closed for socket in (a, b, c)] == [None, Close.DEFECT, None]
        assert a.briefs() == c.briefs() == ["1 hi"]
        assert b.take() == []
        assert defects.text.count("A defect ended a room") == 1
        await in_one_turn(world, [(a, "again"), (c, "again")])
        assert a.briefs() == c.briefs() == ["2 again"]


async def test_a_room_whose_history_was_replaced_refuses_and_the_others_go_on(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        a, b, c = [await world.join("alice", key=key) for key in (A, B, C)]
        log_of(world, B).store = lambda lines: HistoryChanged("the file was replaced")
        await in_one_turn(world, [(a, "hi"), (b, "hi"), (c, "hi")])
        assert a.briefs() == c.briefs() == ["1 hi"]
        assert b.briefs() == ["error storage_unavailable"]
        assert [socket.closed for socket in (a, b, c)] == [None, Close.RESTART, None]


async def test_a_full_disk_refuses_a_whole_turn_and_takes_the_next(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        world.storage.fail_append = StorageUnavailable("No space left on device")
        await in_one_turn(world, [(alice, "a"), (bob, "b")])
        assert alice.briefs() == bob.briefs() == ["error storage_unavailable"]
        world.storage.fail_append = None
        await in_one_turn(world, [(alice, "a")])
        assert alice.briefs() == bob.briefs() == ["1 a"]


async def test_what_is_too_much_for_a_turn_waits_in_the_inbox_in_its_order(
    autojump_clock: MockClock,
) -> None:
    async with a_world(inbox=4, frames_at_once=16) as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        alice.take()
        bob.take()
        alice.feed(*[{"message": f"m{n}"} for n in range(16)])
        await wait_all_tasks_blocked()
        assert alice.briefs() == bob.briefs() == [f"{n + 1} m{n}" for n in range(16)]
        assert world.storage.appends >= 3  # 4 in the turn, and then as many as the inbox holds


async def test_a_message_that_has_to_wait_is_not_overtaken(autojump_clock: MockClock) -> None:
    """The room's first id makes it read the history: what the same one says next comes behind."""
    async with a_world() as world:
        alice = await world.join("alice")
        alice.take()
        alice.feed({"message": "a"}, {"message": "b", "id": "c1"}, {"message": "c"})
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["1 a", "2 b", "3 c"]
        assert world.storage.texts() == ["a", "b", "c"]


async def test_a_turn_in_which_nothing_was_said_does_nothing(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.take()
        world.turn.finish()
        alice.feed({"ping": 7})
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["pong 7"]
        assert world.storage.appends == 0
