"""Coming back: every line that was missed, once and in order, or an honest refusal."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close, StorageUnavailable
from edgechat.chat.line import NO_HASH, Token
from tests.chat.rooms import BASE, h_of, lines

from .fakes import LOBBY, FakeSocket, World, a_world

LINES = lines(30)
ELSEWHERE = "0123456789abcdef"


def token(seq: int) -> dict[str, Any]:
    return {"seq": seq, "h": h_of(LINES[seq - 1]).hex() if seq else BASE.h}


def said(first: int, last: int) -> list[str]:
    return [f"{seq} m{seq}" for seq in range(first, last + 1)]


async def come_back(world: World, since: object, **more: Any) -> tuple[list[str], Any]:
    """The lines that one gets who was away since then, and `recovered` or the reason."""
    socket = await world.join("eve", since=since, **more)
    ready = socket.received[-1]
    assert ready.get("ready"), socket.received
    assert ready["recovered"] is ("reason" not in ready)
    joined = [frame for frame in socket.received if "joined" in frame]
    assert joined[-1] == {"joined": "eve"} == socket.received[-2]
    socket.hang_up()
    await wait_all_tasks_blocked()
    got = [f"{f['seq']} {f.get('message', f.get('kind'))}" for f in socket.received if "h" in f]
    return got[:-1], ready.get("reason", True)


# In memory are all lines, the last ten, or only the last.
@pytest.mark.parametrize("recent", [1000, 10, 1])
async def test_every_line_after_any_other(autojump_clock: MockClock, recent: int) -> None:
    async with a_world(recent_lines=recent) as world:
        world.storage.files[LOBBY] = [*LINES]
        for seq in range(31):
            assert await come_back(world, token(seq)) == (said(seq + 1, 30), True)


@pytest.mark.parametrize("recent", [1000, 10])
async def test_zero_and_zeros_resume_at_the_start(autojump_clock: MockClock, recent: int) -> None:
    async with a_world(recent_lines=recent) as world:
        nowhere = {"seq": 0, "h": NO_HASH}
        assert await come_back(world, nowhere) == ([], True)
        world.storage.files[LOBBY] = [*LINES]
        await trio.sleep(100)
        assert await come_back(world, nowhere) == (said(1, 30), True)


FORKED = {
    "another h": {"seq": 25, "h": ELSEWHERE},
    "another h, far down": {"seq": 3, "h": ELSEWHERE},
    "beyond the head": {"seq": 31, "h": ELSEWHERE},
    "beyond the head with its h": {"seq": 31, "h": h_of(LINES[29]).hex()},
    "a huge seq": {"seq": 10**30, "h": ELSEWHERE},
    "the h of the line before": {"seq": 30, "h": h_of(LINES[28]).hex()},
    "another start": {"seq": 0, "h": ELSEWHERE},
    "no h": {"seq": 25, "h": ""},
    "no h, far down": {"seq": 3, "h": ""},
    "capitals": {"seq": 25, "h": h_of(LINES[24]).hex().upper()},
    "zeros elsewhere": {"seq": 25, "h": NO_HASH},
}


@pytest.mark.parametrize("recent", [1000, 10, 6])
@pytest.mark.parametrize("what", FORKED)
async def test_a_token_of_another_history_is_forked(
    autojump_clock: MockClock, what: str, recent: int
) -> None:
    async with a_world(recent_lines=recent, backlog=4) as world:
        world.storage.files[LOBBY] = [*LINES]
        assert await come_back(world, FORKED[what]) == (said(27, 30), "forked")


async def test_a_token_of_a_room_that_was_made_again_is_forked(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=1) as world:
        world.storage.files[LOBBY] = [*LINES]
        assert await come_back(world, token(5)) == (said(6, 30), True)
        await trio.sleep(2)
        world.storage.base = Token(0, "8877665544332211")
        world.storage.files.clear()
        assert await come_back(world, token(5)) == ([], "forked")
        assert await come_back(world, token(0)) == ([], "forked")


async def test_ten_thousand_behind_recovers_and_one_more_is_far(autojump_clock: MockClock) -> None:
    made = lines(10_001)
    async with a_world() as world:
        world.storage.files[LOBBY] = [*made]
        got, recovered = await come_back(world, {"seq": 1, "h": h_of(made[0]).hex()})
        assert (len(got), got[0], got[-1], recovered) == (10_000, "2 m2", "10001 m10001", True)
        far = await come_back(world, {"seq": 0, "h": BASE.h}, backlog=2)
        assert far == (["10000 m10000", "10001 m10001"], "far")
        assert await come_back(world, {"seq": 0, "h": NO_HASH}, backlog=0) == ([], "far")
        assert await come_back(world, {"seq": 0, "h": ELSEWHERE}, backlog=0) == ([], "forked")


async def test_older_than_what_is_kept_is_trimmed(autojump_clock: MockClock) -> None:
    async with a_world(backlog=3) as world:
        world.storage.base = Token(20, h_of(LINES[19]).hex())
        world.storage.files[LOBBY] = [*LINES[20:]]
        assert await come_back(world, token(20)) == (said(21, 30), True)
        assert await come_back(world, token(19)) == (said(28, 30), "trimmed")
        assert await come_back(world, {"seq": 20, "h": ELSEWHERE}) == (said(28, 30), "forked")
        assert await come_back(world, {"seq": 31, "h": ELSEWHERE}) == (said(28, 30), "forked")
        socket = await world.join("bob", backlog=1000)
        assert socket.briefs()[:-2] == said(21, 30)


@pytest.mark.parametrize(
    ("asked", "first"), [(None, 27), (0, 31), (-5, 31), (1, 30), (30, 1), (31, 1), (10**30, 1)]
)
async def test_backlog(autojump_clock: MockClock, asked: int | None, first: int) -> None:
    async with a_world(backlog=4, recent_lines=10) as world:
        world.storage.files[LOBBY] = [*LINES]
        socket = await world.join("eve", backlog=asked)
        assert socket.briefs() == [*said(first, 30), "joined eve", "ready"]
        assert "recovered" not in socket.received[-1]


async def test_a_backlog_has_its_limit(autojump_clock: MockClock) -> None:
    async with a_world(max_backlog=7) as world:
        world.storage.files[LOBBY] = [*LINES]
        assert (await world.join("eve", backlog=1000)).briefs()[:-2] == said(24, 30)


async def slow_newcomer(world: World, **hello: Any) -> FakeSocket:
    """One who has asked for old lines and does not read them yet."""
    socket = world.connect()
    socket.may_drain = trio.Event()
    socket.feed({"name": "eve", **hello})
    await wait_all_tasks_blocked()
    return socket


@pytest.mark.parametrize("v", [1, 2])
async def test_what_is_said_while_one_catches_up_comes_once_and_in_order(
    autojump_clock: MockClock, v: int
) -> None:
    async with a_world(recent_lines=5) as world:
        world.storage.files[LOBBY] = [*LINES]
        alice, bob = await world.join("alice"), await world.join("bob")
        eve = await slow_newcomer(world, since=token(3), v=v)
        for number in range(31, 41):  # more than the room keeps in memory
            alice.say(f"m{number}")
            await wait_all_tasks_blocked()
        bob.hang_up()
        carol = await world.join("carol")
        assert not any("ready" in frame for frame in eve.received)
        eve.may_drain.set()
        await wait_all_tasks_blocked()
        carol.say("m41")
        await wait_all_tasks_blocked()
        got = eve.briefs()
        assert [word for word in got if word[0].isdigit()] == said(4, 41)
        assert got[:2] == ["joined alice", "joined bob"]
        assert [word for word in got if word[0] in "jqr"][2:] == [
            "quit bob",
            "joined carol",
            "joined eve",
            "ready",
        ]


async def test_who_leaves_while_catching_up_was_never_there(autojump_clock: MockClock) -> None:
    async with a_world(recent_lines=5) as world:
        world.storage.files[LOBBY] = [*LINES]
        alice = await world.join("alice")
        alice.take()
        eve = await slow_newcomer(world, since=token(3))
        eve.close(Close.SLOW)
        await wait_all_tasks_blocked()
        assert eve.gone.is_set()
        assert alice.take() == []


async def test_a_history_that_cannot_be_read_sends_the_newcomer_away(
    autojump_clock: MockClock,
) -> None:
    async with a_world(recent_lines=5) as world:
        world.storage.files[LOBBY] = [*LINES]
        alice = await world.join("alice")
        world.storage.fail_read = StorageUnavailable("Input/output error")
        eve = await world.join("eve", since=token(3))
        assert eve.closed is Close.FULL
        assert not any("ready" in frame for frame in eve.received)
        assert alice.closed is None


async def test_lines_that_are_not_there_any_more_are_no_endless_search(
    autojump_clock: MockClock,
) -> None:
    async with a_world(recent_lines=5) as world:
        world.storage.files[LOBBY] = [*LINES]
        await world.join("alice")
        world.storage.files[LOBBY] = []  # somebody emptied the file
        eve = world.connect({"name": "eve", "backlog": 20})
        await trio.sleep(1)
        assert eve.closed is Close.FULL


@pytest.mark.parametrize("recent", [1000, 3])
async def test_a_damaged_line_is_shown_to_v2_as_lost(
    autojump_clock: MockClock, recent: int
) -> None:
    async with a_world(recent_lines=recent) as world:
        world.storage.files[LOBBY] = [*LINES[:20], None, *LINES[21:]]
        old, new = await world.join("old"), await world.join("new", v=2)
        lines = [word for word in new.briefs() if word[0].isdigit()]
        assert lines == [*said(1, 20), "21 lost", *said(22, 30)]
        lines = [word for word in old.briefs() if word[0].isdigit()]
        assert lines == [*said(1, 20), *said(22, 30)]
        assert (await come_back(world, token(20)))[0] == said(22, 30)


async def test_who_catches_up_looks_as_often_as_its_address_may(autojump_clock: MockClock) -> None:
    """Each look is five lines here. Two of one address take turns; another's is its own."""
    async with a_world(
        message_interval=1.0, recent_lines=1, history_rate=2.0, history_burst=2.0
    ) as world:
        world.storage.files[LOBBY] = [*LINES]
        world.storage.page_lines = 5
        come = {
            name: world.connect({"name": name, "since": token(0)}, address=address)
            for name, address in (("eve", "a"), ("mallory", "a"), ("bob", "b"))
        }
        begun, ready = trio.current_time(), dict[str, float]()
        while len(ready) < 3:
            await trio.sleep(0.25)
            for name, socket in come.items():
                if any("ready" in frame for frame in socket.received):
                    ready.setdefault(name, trio.current_time() - begun)
        for socket in come.values():
            seqs = [frame["seq"] for frame in socket.received if "h" in frame][:-1]
            assert seqs == list(range(1, 31))
    # Six looks each; three are free at once, and each more is half a second of its address's.
    assert 1.5 <= ready["bob"] <= 2.0
    assert 4.0 <= min(ready["eve"], ready["mallory"]) <= max(ready.values()) <= 5.0
