"""What is asked over HTTP: against a server played by hand, and the real one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import h11
import pytest
import trio
import trio.testing

from edgechat.client import Info, Lost, Message, Rejected, Room, open_room, room_url
from tests.serving import running

from .entering import joined
from .lines import h_of, line
from .peer import Peer, Streams
from .server import serving

Given = tuple[str, str | None] | int  # a body and where the page goes on, or a status

SOON = 90.0  # seconds: never awaited on a good machine


async def answer(
    peer: Peer, status: int, body: str, next: str | None = None, *headers: tuple[str, str]
) -> str:
    """Answer the next request; returns its target. `next` is where a page goes on, if it does."""
    stream = await peer.stream()
    http = h11.Connection(h11.SERVER)
    target = ""
    while not isinstance(event := await _next(http, stream), h11.EndOfMessage):
        if isinstance(event, h11.Request):
            target = event.target.decode()
    given = [*headers, ("Content-Length", str(len(body.encode())))]
    if next is not None:
        given += [("EdgeChat-More", "true" if next else "false")]
        given += [("EdgeChat-Next", next)] if next else []
    await stream.send_all(http.send(h11.Response(status_code=status, headers=given)) or b"")
    await stream.send_all(http.send(h11.Data(data=body.encode())) or b"")
    return target


async def _next(http: h11.Connection, stream: Streams) -> object:
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(bytes(await stream.receive_some()))
    return event


def page(*seqs: int) -> str:
    return "".join(line(seq) + "\n" for seq in seqs)


@asynccontextmanager
async def answering(
    *answers: Given,
) -> AsyncIterator[tuple[Room, list[str], Peer]]:
    """A joined room, and the targets that are asked for; a number is a gateway's status."""
    async with joined() as (room, _, peer), trio.open_nursery() as nursery:
        targets: list[str] = []

        async def serve() -> None:
            for given in answers:
                status, page = (given, ("", None)) if isinstance(given, int) else (200, given)
                targets.append(await answer(peer, status, *page))

        nursery.start_soon(serve)
        yield room, targets, peer
        nursery.cancel_scope.cancel()


async def seqs(lines: AsyncIterator[object]) -> list[int]:
    return [event.seq async for event in lines if isinstance(event, Message)]


async def test_backwards_from_the_newest(autojump_clock: trio.testing.MockClock) -> None:
    pages = [(page(4, 5), "4"), (page(2, 3), "2"), (page(1), "")]
    async with answering(*pages) as (room, targets, _):
        assert await seqs(room.history()) == [5, 4, 3, 2, 1]
    asked = ["?limit=1000", "?limit=1000&before=4", "?limit=1000&before=2"]
    assert targets == [f"/api/room/lobby/history{query}" for query in asked]


async def test_forwards_up_to_a_line(autojump_clock: trio.testing.MockClock) -> None:
    pages = [(page(6, 7), "7"), (page(8, 9), "9")]
    async with answering(*pages) as (room, targets, _):
        assert await seqs(room.history(after=5, before=9)) == [6, 7, 8]
    assert [target.rpartition("&")[2] for target in targets] == ["after=5", "after=7"]


async def test_at_most_so_many(autojump_clock: trio.testing.MockClock) -> None:
    pages = [(page(8, 9), "8"), (page(7), "7")]
    async with answering(*pages) as (room, targets, _):
        assert await seqs(room.history(before=10, limit=3)) == [9, 8, 7]
        assert await seqs(room.history(limit=0)) == []
    assert [target.partition("?")[2] for target in targets] == [
        "limit=3&before=10",
        "limit=1&before=8",
    ]


@pytest.mark.parametrize(
    ("way", "next", "next_way"), [({"after": 5}, "9", "after=9"), ({"before": 9}, "5", "before=5")]
)
async def test_a_page_of_damaged_lines_is_stepped_over(
    way: dict[str, Any], next: str, next_way: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with answering(("", next), (page(3), "3")) as (room, targets, _):
        history = room.history(limit=4, **way)
        first = await anext(history)
        assert first.seq == 3
    assert targets[1] == f"/api/room/lobby/history?limit=4&{next_way}"


async def test_the_newest_lines_are_damaged(autojump_clock: trio.testing.MockClock) -> None:
    async with answering(("", "31"), (page(1), "")) as (room, targets, _):
        assert await seqs(room.history(limit=20)) == [1]
    assert targets[-1].endswith("limit=20&before=31")


async def test_a_search_goes_on_by_itself(autojump_clock: trio.testing.MockClock) -> None:
    """Also where nothing was found so far, and while the server says that it goes too fast."""
    pages: list[Given] = [(page(90), "80"), ("", "60"), 429, (page(7, 50), "")]
    async with answering(*pages) as (room, targets, _):
        assert await seqs(room.history(q="a b&ç")) == [90, 50, 7]
    queries = [target.rpartition("?")[2] for target in targets]
    asked = "limit=1000{}&q=a+b%26%C3%A7"
    ways = ["", "&before=80", "&before=60", "&before=60"]
    assert queries == [asked.format(way) for way in ways]


async def test_a_search_forwards_ends_where_it_is_to_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Where the server looked up to the end and found nothing, it is not asked again."""
    async with answering((page(3), "40"), ("", "99")) as (room, targets, _):
        assert await seqs(room.history(after=2, before=100, q="a")) == [3]
    assert [target.rpartition("after=")[2] for target in targets] == ["2&q=a", "40&q=a"]


@pytest.mark.parametrize("next", [None, "soon"])
async def test_a_page_that_does_not_say_where_it_goes_on(
    next: str | None, autojump_clock: trio.testing.MockClock
) -> None:
    """It is something else's answer."""
    async with answering((page(9), next), (page(1), "")) as (room, _, _):
        assert await seqs(room.history()) == [1]


async def test_lost_lines_and_whose_a_message_is(autojump_clock: trio.testing.MockClock) -> None:
    text = '{"seq":4,"kind":"lost"}\n' + page(5)
    async with answering((text, "")) as (room, _, _):
        lines = [event async for event in room.history(after=3)]
        assert lines[0] == Lost(4)
        assert isinstance(lines[1], Message)
        assert (lines[1].live, lines[1].mine) == (False, False)


async def test_a_gateway_is_waited_out(autojump_clock: trio.testing.MockClock) -> None:
    html = ("<h1>Log in</h1>", None)
    head = json.dumps({"room": "lobby", "seq": 5, "h": h_of(5), "members": 2})
    async with answering(404, 502, html, (head, None)) as (room, _, peer):
        assert await room.info() == Info("lobby", 5, h_of(5), 2)
        assert peer.dials == pytest.approx([0, 0, 1, 3, 7])  # the room, then 1 + 2 + 4 s


async def test_a_page_that_is_html_is_no_history(autojump_clock: trio.testing.MockClock) -> None:
    async with answering(("<h1>Log in</h1>", None), (page(1), "")) as (room, _, _):
        assert await seqs(room.history()) == [1]


async def test_a_server_that_never_answers_is_asked_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with joined(ping_timeout=10) as (room, _, peer), trio.open_nursery() as nursery:
        streams = []

        async def keep_the_first() -> None:
            streams.append(await peer.stream())
            await answer(peer, 200, page(1), "")

        nursery.start_soon(keep_the_first)
        assert await seqs(room.history()) == [1]
        assert trio.current_time() == pytest.approx(11)


async def test_no_such_room(autojump_clock: trio.testing.MockClock) -> None:
    async with joined() as (room, _, peer), trio.open_nursery() as nursery:
        nursery.start_soon(answer, peer, 404, '{"error":"Gone.","code":"not_found"}')
        with pytest.raises(Rejected, match="404: Gone"):
            await room.info()


async def test_with_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            async with open_room(room_url(server.url, "lobby"), "alice", key="k") as room:
                said = [await room.say(f"{number}") for number in range(5)]
                assert await room.info() == Info("lobby", 5, said[-1].h, 1)
                assert [event async for event in room.history()] == said[::-1]
                forwards = [event async for event in room.history(after=2)]
                assert forwards == said[2:]
                assert all(isinstance(event, Message) and event.mine for event in forwards)
                assert [event async for event in room.history(before=3, limit=1)] == [said[1]]


async def test_a_search_with_the_server(tmp_path: Path) -> None:
    """In a history that it looks through in many requests, of which it allows a few at once."""
    limits = {"search_time": 0.0, "history_rate": 200.0, "history_burst": 150}
    async with running.serving(tmp_path, **limits) as server:
        with trio.fail_after(SOON):
            async with open_room(f"http://127.0.0.1:{server.port}/room/lobby") as room:
                said = [
                    await room.say(text) for text in ("One two", "three", "two  ÖNE", "tWo one")
                ]
                assert [event async for event in room.history(q="TWO one")] == [said[3], said[0]]
                found = [event async for event in room.history(q="two", after=0, before=4)]
                assert found == [said[0], said[2]]
                assert [event async for event in room.history(q="two", limit=1)] == [said[3]]
                assert [event async for event in room.history(q="four")] == []
                for words in ("", "x" * 201):
                    with pytest.raises(Rejected, match="q must have a word"):
                        await anext(room.history(q=words))


async def test_the_server_says_that_there_is_no_such_room(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            async with open_room(room_url(server.url, "lobby"), "alice") as room:
                api = room._api
                api._address = replace(api._address, room="x" * 33)
                with pytest.raises(Rejected, match="Name too long"):
                    await room.info()
