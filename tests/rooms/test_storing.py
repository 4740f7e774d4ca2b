"""What you see is what is stored; and what goes wrong with a room ends that room alone."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close, HistoryChanged, StorageUnavailable
from edgechat.chat.names import RoomKey

from .fakes import a_world

FULL_DISK = StorageUnavailable("No space left on device")
ODD = ZeroDivisionError("odd")
OTHER = RoomKey("other", private=False)


async def test_nothing_is_shown_before_it_is_stored(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob", v=2)
        bob.take()
        alice.take()
        world.storage.may_append = trio.Event()
        alice.say("hi")
        await trio.sleep(100)
        assert alice.take() == bob.take() == []
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert alice.briefs() == bob.briefs() == ["1 hi"]


async def test_a_write_that_fails_shows_the_message_to_nobody(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=5) as world:
        alice, bob = await world.join("alice"), await world.join("bob", v=2, address="b")
        alice.take()
        bob.take()
        world.storage.fail_append = FULL_DISK
        for _ in range(5):
            alice.say("hi", "c1")
            await wait_all_tasks_blocked()
        # 5 refusals, though the allowance is for 2 messages: what is not stored costs nothing.
        refusals = [(frame["code"], frame["id"]) for frame in alice.take()]
        assert refusals == [("storage_unavailable", "c1")] * 5
        assert bob.take() == []
        assert world.storage.texts() == []

        world.storage.fail_append = None
        alice.say("hi", "c1")
        await wait_all_tasks_blocked()
        assert alice.briefs() == bob.briefs() == ["1 hi"]
        alice.feed({"message": "two"}, {"message": "three"})
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["2 two", "error rate_limited"]


async def test_each_sender_of_a_batch_that_fails_is_told_of_its_own(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        alice.take()
        bob.take()
        world.storage.fail_append = FULL_DISK
        alice.say("a", "c1")
        bob.say("b", "c2")
        alice.say("a", "c1")
        await wait_all_tasks_blocked()
        assert [frame["id"] for frame in alice.take()] == ["c1", "c1"]
        assert [frame["id"] for frame in bob.take()] == ["c2"]


async def test_one_can_come_and_go_while_nothing_can_be_stored(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        world.storage.fail_append = FULL_DISK
        alice.say("hi")
        bob = await world.join("bob")
        assert bob.briefs() == ["joined alice", "joined bob", "ready"]
        bob.hang_up()
        await wait_all_tasks_blocked()
        assert alice.briefs()[-2:] == ["joined bob", "quit bob"]


async def test_no_id_is_trusted_while_the_ids_cannot_be_read(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=1) as world:
        alice = await world.join("alice")
        alice.say("hi", "c1")
        await wait_all_tasks_blocked()
        alice.hang_up()
        await trio.sleep(2)
        again = await world.join("alice")
        again.take()
        world.storage.fail_read = StorageUnavailable("Input/output error")
        again.say("hi", "c1")
        await wait_all_tasks_blocked()
        assert again.briefs() == ["error storage_unavailable"]
        world.storage.fail_read = None
        again.say("hi", "c1")
        await wait_all_tasks_blocked()
        assert again.briefs() == ["1 hi"]
        assert world.storage.texts() == ["hi"]


@pytest.mark.parametrize("id", [None, "c1"])
async def test_a_history_that_was_replaced_is_opened_anew(
    autojump_clock: MockClock, id: str | None
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        world.storage.fail_append = HistoryChanged("the file is gone")
        alice.say("hi", id)
        await wait_all_tasks_blocked()
        assert alice.briefs()[-1] == "error storage_unavailable"
        assert [alice.closed, bob.closed] == [Close.RESTART] * 2
        assert not any("message" in frame for frame in bob.received)
        world.storage.fail_append = None
        again = await world.join("alice")
        again.say("hi", id)
        await wait_all_tasks_blocked()
        assert again.briefs() == ["joined alice", "ready", "1 hi"]


async def test_a_defect_in_what_a_sender_set_off_is_the_rooms(
    autojump_clock: MockClock, defects: pytest.LogCaptureFixture
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        world.storage.fail_append = ODD
        alice.say("hi")
        await wait_all_tasks_blocked()
        assert [alice.closed, bob.closed] == [Close.DEFECT] * 2
        assert alice.reason == bob.reason
        assert "A defect ended a room" in defects.text
        assert "A defect ended a connection" not in defects.text
        assert world.room() is None


@pytest.mark.parametrize("where", ["fail_append", "fail_read", "fail_open"])
async def test_a_defect_in_a_room_ends_that_room_alone(
    autojump_clock: MockClock, defects: pytest.LogCaptureFixture, where: str
) -> None:
    async with a_world() as world:
        bystander = await world.join("bystander", key=OTHER)
        alice, lurker = world.connect(), world.connect()
        setattr(world.storage, where, ODD)
        alice.feed({"name": "alice"}, {"message": "hi", "id": "c1"})
        await wait_all_tasks_blocked()
        if where == "fail_open":  # the room was open: only the next one is not
            alice.hang_up()
            lurker.hang_up()
            await trio.sleep(100)
            alice = lurker = await world.join("alice")
        assert [alice.closed, lurker.closed] == [Close.DEFECT] * 2
        assert "ZeroDivisionError: odd" in defects.text
        assert not any("odd" in str(frame) for frame in alice.received)

        setattr(world.storage, where, None)
        bob = await world.join("bob")
        bob.say("works")
        bystander.say("too")
        await wait_all_tasks_blocked()
        assert "works" in bob.briefs()[-1]
        assert bystander.briefs()[-1] == "1 too"
        assert bystander.closed is None


async def test_who_is_on_the_way_in_when_a_room_ends_by_a_defect_is_sent_away(
    autojump_clock: MockClock, defects: pytest.LogCaptureFixture
) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        world.storage.may_append = trio.Event()
        alice.say("hi")
        await wait_all_tasks_blocked()
        bob = await world.join("bob")
        assert bob.received == []
        world.storage.fail_append = ODD
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert bob.closed is Close.DEFECT
        assert bob.gone.is_set()
        assert len(world.rooms) == 0
