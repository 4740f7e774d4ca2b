from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close

from .fakes import Frame, a_world

BAD: list[Frame | str | None] = ["", "[]", "7", '{"ping":NaN}', '{"message":"\\ud800"}', None]
BAD += [
    '{"message":"a","message":"b"}',
    '{"message":"a","x":[]}',
    '{"x":' + "[" * 10_000,
    '{"name":7}',
]


async def test_nothing_is_sent_before_the_hello(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        await world.join("alice")
        lurker = world.connect()
        talker = await world.join("bob")
        talker.say("hi")
        await trio.sleep(9)
        assert lurker.received == []
        assert lurker.closed is None


async def test_who_says_no_hello_is_let_go(autojump_clock: MockClock) -> None:
    async with a_world(hello_timeout=10) as world:
        lurker = world.connect()
        await trio.sleep(9.9)
        assert lurker.closed is None
        await trio.sleep(0.2)
        assert lurker.closed is Close.SILENT


async def test_bad_frames_do_not_prolong_the_time_for_a_hello(autojump_clock: MockClock) -> None:
    async with a_world(hello_timeout=10) as world:
        lurker = world.connect()
        for _ in range(3):  # at 3, 6 and 9 s
            await trio.sleep(3)
            lurker.feed("[]")
        await trio.sleep(2)
        assert lurker.closed is Close.SILENT


async def test_a_message_before_the_hello_is_a_bad_frame(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        socket = world.connect({"message": "hi"}, {"ping": 1}, {"name": "alice"}, {"ping": 2})
        await wait_all_tasks_blocked()
        assert socket.briefs() == [
            "error bad_frame",
            "error bad_frame",
            "joined alice",
            "ready",
            "pong 2",
        ]
        assert world.storage.texts() == []


async def test_what_comes_in_the_breath_of_the_hello_is_done_after_it(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        socket = world.connect({"name": "alice"}, {"message": "hi"}, {"message": "ho"})
        await wait_all_tasks_blocked()
        assert socket.briefs() == ["joined alice", "ready", "1 hi", "2 ho"]


@pytest.mark.parametrize("greeted", [False, True])
async def test_ten_bad_frames_in_a_row_close(autojump_clock: MockClock, greeted: bool) -> None:
    async with a_world() as world:
        socket = await world.join("alice") if greeted else world.connect()
        socket.take()
        socket.feed(*BAD[:9])
        await wait_all_tasks_blocked()
        assert (len(socket.take()), socket.closed) == (9, None)
        socket.feed(BAD[9])
        await wait_all_tasks_blocked()
        assert [frame["code"] for frame in socket.take()] == ["bad_frame"]
        assert socket.closed is Close.POLICY
        assert socket.gone.is_set()


async def test_a_good_frame_in_between_forgives(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        socket = await world.join("alice")
        socket.feed(*BAD[:9], {"ping": 1}, *BAD[:9])
        await wait_all_tasks_blocked()
        assert socket.closed is None


NAMES: list[tuple[Frame, str, Close]] = [
    ({"name": "x" * 33}, "name_too_long", Close.TOO_BIG),
    ({"name": "a\nb"}, "bad_name", Close.POLICY),
    ({"name": "  "}, "bad_name", Close.POLICY),
    ({"name": "\u202eevil"}, "bad_name", Close.POLICY),
]


@pytest.mark.parametrize(("hello", "code", "close"), NAMES)
async def test_a_name_that_may_not_be_closes(
    autojump_clock: MockClock, hello: Frame, code: str, close: Close
) -> None:
    async with a_world() as world:
        bystander = await world.join("bob")
        bystander.take()
        socket = world.connect(hello)
        await wait_all_tasks_blocked()
        assert [frame["code"] for frame in socket.received] == [code]
        assert socket.closed is close
        assert bystander.take() == []


async def test_nobody_is_anonymous(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        socket = world.connect("{}")
        await wait_all_tasks_blocked()
        assert socket.briefs() == ["joined anonymous", "ready"]


MESSAGES = [("x" * 2001, "message_too_long"), (" ", "empty_message"), ("a\0", "bad_message")]


@pytest.mark.parametrize(("text", "code"), MESSAGES)
async def test_a_message_that_may_not_be_leaves_the_connection_open(
    autojump_clock: MockClock, text: str, code: str
) -> None:
    async with a_world() as world:
        socket = await world.join("alice")
        socket.take()
        socket.say(text, "c1")
        socket.say("hi")
        await wait_all_tasks_blocked()
        refusal, line = socket.take()
        assert (refusal["code"], refusal["id"], line["message"]) == (code, "c1", "hi")
        assert socket.closed is None


async def test_a_member_is_gone_for_the_others_when_its_connection_is(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        alice.take()
        bob.hang_up()
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["quit bob"]


async def test_a_defect_in_one_connection_ends_it_alone(
    autojump_clock: MockClock, defects: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        alice.take()

        def explode(frames: bytes) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(bob, "write", explode)
        bob.feed({"ping": 1})
        await wait_all_tasks_blocked()
        assert bob.closed is Close.DEFECT
        assert alice.briefs() == ["quit bob"]
        assert "A defect ended a connection." in defects.text


async def test_one_who_floods_does_not_keep_another_waiting(autojump_clock: MockClock) -> None:
    async with a_world(frames_at_once=16) as world:
        flood, other = await world.join("flood"), await world.join("other")
        flood.feed(*[{"ping": number} for number in range(500)])
        other.feed({"ping": 1})
        while not any("pong" in frame for frame in other.received):
            await trio.lowlevel.checkpoint()
        assert sum("pong" in frame for frame in flood.received) <= 4 * 16


async def test_typing(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice", v=2), await world.join("bob")
        alice.take()
        bob.take()
        told = []
        for _ in range(7):  # at 0, 1, …, 6 s: told at 0, 3 and 6
            bob.feed({"typing": True})
            await wait_all_tasks_blocked()
            told.append(alice.briefs())
            await trio.sleep(1)
        assert told == [["typing ['bob']"], [], [], ["typing ['bob']"], [], [], ["typing ['bob']"]]
        assert bob.take() == []
        assert world.storage.texts() == []


async def test_typing_is_told_late_rather_than_not_at_all(autojump_clock: MockClock) -> None:
    """The inbox was full when it came: one who waits for space forgets nothing meanwhile."""
    async with a_world(inbox=1) as world:
        alice, bob = await world.join("alice", v=2), await world.join("bob", v=2)
        world.storage.may_append = trio.Event()
        bob.take()
        alice.feed({"message": "m1"})
        await wait_all_tasks_blocked()
        alice.feed({"message": "m2"})
        await wait_all_tasks_blocked()
        alice.feed({"typing": True}, {"ping": 7})
        await wait_all_tasks_blocked()
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert bob.briefs() == ["1 m1", "2 m2", "typing ['alice']"]
        assert "pong 7" in alice.briefs()


CHARGED: list[tuple[Frame | str | None, float]] = [
    ({"ping": 1}, 1),
    ({"typing": True}, 1),
    ("[]", 1),
    (None, 1),
    ({"message": "x" * 2_001}, 5),
    ({"message": "said before", "id": "c1"}, 1),
    ({"message": "another", "id": "c1"}, 1),
    ({"message": "hello"}, 0),
    ({"message": "hello", "id": "c2"}, 0),
]


@pytest.mark.parametrize(("frame", "frames"), CHARGED)
async def test_what_no_allowance_pays_for_is_charged(
    autojump_clock: MockClock, frame: Frame | str | None, frames: float
) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.say("said before", "c1")
        await wait_all_tasks_blocked()
        assert alice.charged == 0
        alice.feed(frame)
        await wait_all_tasks_blocked()
        assert frames <= alice.charged < frames + 0.2


async def test_a_message_that_its_allowance_refuses_is_charged(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=0) as world:
        alice = await world.join("alice")
        alice.feed({"message": "one"}, {"message": "two"})
        await wait_all_tasks_blocked()
        assert alice.briefs()[-1] == "error rate_limited"
        assert alice.charged == 1
