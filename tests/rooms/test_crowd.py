"""Rosters: of sessions for the demo's protocol, of names for v2, and counts in a big room."""

from __future__ import annotations

from collections import Counter
from typing import Any

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from .fakes import FakeSocket, a_world


class Known:
    """What a v2 client knows of who is there, from frames alone."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.count = 0

    def hear(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            if "roster" in frame:
                self.names = set(frame["roster"])
            self.names |= {frame["joined"]} if "joined" in frame else set()
            self.names -= {frame["quit"]} if "quit" in frame else set()
            self.count = frame.get("members", self.count)


async def test_two_tabs_named_bob(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        old, new = await world.join("old"), await world.join("new", v=2)
        old.take()
        tabs = [await world.join("bob", v=1 + number) for number in range(2)]
        assert tabs[1].briefs() == ["joined old", "joined new", "joined bob", "ready"]
        late = await world.join("late")
        assert late.briefs()[:4] == ["joined old", "joined new", "joined bob", "joined bob"]
        for tab in tabs:
            tab.hang_up()
            await wait_all_tasks_blocked()
        changes = [word for word in old.briefs() if "bob" in word]
        assert changes == ["joined bob", "joined bob", "quit bob", "quit bob"]
        assert [word for word in new.briefs() if "bob" in word] == ["joined bob", "quit bob"]


async def test_another_tab_of_bob_is_no_news_to_the_first(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        first = await world.join("bob", v=2)
        assert first.briefs() == ["joined bob", "ready"]
        second = await world.join("bob", v=2)
        assert second.briefs() == ["joined bob", "ready"]  # here the greeting says it
        assert first.take() == []


async def test_a_big_room_tells_v2_counts_once_a_second(autojump_clock: MockClock) -> None:
    async with a_world(big_room=10) as world:
        old, new = await world.join("old"), await world.join("new", v=2)
        for number in range(9):  # with the ninth there are 11
            await world.join(f"n{number}")
        old.take()
        new.take()
        crowd = []
        for number in range(50):  # one each tenth of a second, from now to 4.9 s
            crowd.append(await world.join(f"c{number}"))
            await trio.sleep(0.1)
        await trio.sleep(2)
        assert len(old.take()) == 50
        counts = [frame["members"] for frame in new.take()]
        # The first count came with the ninth; then one each second up to the last change.
        assert len(counts) in (5, 6)
        assert counts == sorted(counts)
        assert counts[-1] == 61
        await trio.sleep(100)
        assert new.take() == []


async def test_a_newcomer_to_a_big_room_gets_a_page_and_no_frame_for_each(
    autojump_clock: MockClock,
) -> None:
    async with a_world(big_room=10) as world:
        for number in range(200):
            await world.join(f"n{number}")
        await trio.sleep(2)  # in a crowd, comings gather
        new = await world.join("new", v=2)
        await trio.sleep(2)
        roster, ready = new.received[:2]
        assert (roster["members"], len(roster["roster"])) == (200, 100)
        assert ready["members"] == 201
        assert new.received[2:] == [{"members": 201}]
        old = await world.join("old")
        await trio.sleep(2)
        assert len(old.received) == 201 + len(["joined old", "ready"])


async def test_a_room_that_is_small_again_says_who_is_there(autojump_clock: MockClock) -> None:
    async with a_world(big_room=10) as world:
        new, known = await world.join("new", v=2), Known()
        crowd = [await world.join(f"n{number}") for number in range(20)]
        late, later = await world.join("late", v=2), Known()
        await trio.sleep(1)  # in a crowd, comings gather
        while crowd:
            crowd.pop().hang_up()
            await trio.sleep(0.1)
            known.hear(new.take())
            later.hear(late.take())
            if len(crowd) + 2 <= 8:  # 80 % of ten: from here on all names are known
                names = {"new", "late"} | {f"n{number}" for number in range(len(crowd))}
                assert known.names == later.names == names


async def test_who_comes_and_goes_in_a_crowd_is_told_to_v1_exactly(
    autojump_clock: MockClock,
) -> None:
    """Above 20 members comings and goings gather: none is lost, none is told twice."""
    async with a_world() as world:
        watcher = await world.join("watcher")
        there = [await world.join(f"s{number}") for number in range(30)]
        await trio.sleep(1)
        watcher.take()
        came: list[FakeSocket] = []
        for number in range(100):
            came.append(world.connect({"name": f"n{number}"}))
            if number % 3 == 0:
                came[number // 2].hang_up()
            if number % 10 == 0:
                there.pop().hang_up()
            await trio.sleep(0.0003)
        await trio.sleep(1)
        heard = Counter(watcher.briefs())
        gone = {f"n{number // 2}" for number in range(0, 100, 3)}
        expected = Counter({f"joined n{number}": 1 for number in range(100)})
        expected += Counter(f"quit {name}" for name in gone)
        expected += Counter(f"quit s{number}" for number in range(20, 30))
        absent = {word for word in expected if word not in heard}
        # Who hung up before being let in was never there for anybody.
        assert {word.split()[1] for word in absent} <= gone
        assert heard == Counter({w: n for w, n in expected.items() if w not in absent})
        names = {word.split()[1] for word in absent}
        assert absent == {f"{what} {name}" for what in ("joined", "quit") for name in names}


async def test_typing_stops_with_what_was_said(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        watcher, bob, eve = [await world.join(name, v=2) for name in ("watcher", "bob", "eve")]
        watcher.take()
        bob.feed({"typing": True})
        await wait_all_tasks_blocked()
        bob.say("hi")
        await wait_all_tasks_blocked()
        eve.feed({"typing": True})
        await wait_all_tasks_blocked()
        assert watcher.briefs() == ["typing ['bob']", "1 hi", "typing ['eve']"]
