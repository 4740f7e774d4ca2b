"""A room's history: pages of it, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from quart import Response, request
from quart_trio import QuartTrio

from edgechat.chat.line import Entry
from edgechat.chat.names import PrivateIds
from edgechat.http import answers
from edgechat.http.answers import NDJSON, PRIVATE
from edgechat.http.api import Rooms, find_key, visit
from edgechat.http.asked import asked_of_quart
from edgechat.http.callers import Callers
from edgechat.http.query import number
from edgechat.http.word_search import Searches, read_words, search
from edgechat.rooms.room import Room
from edgechat.settings import Settings

_NUMBERS = ("before", "after", "around", "limit")


def add_history(
    app: QuartTrio, settings: Settings, rooms: Rooms, ids: PrivateIds, callers: Callers
) -> None:
    """Add the route that reads histories."""
    searches = Searches()

    @app.get("/api/room/<text>/history")
    async def history(text: str) -> Response:
        asked = asked_of_quart()
        key = find_key(text, ids)
        for name in _NUMBERS:  # before a room is opened for a request that can't be answered
            number(name)
        words = read_words()
        if request.method == "HEAD":
            return answers.head(NDJSON)
        if words is None:
            callers.look(asked)
            return await visit(rooms, key, partial(_history, settings.max_page_lines))
        with searches.one_of(callers.address(asked)):
            callers.look(asked, settings.search_looks)
            return await visit(rooms, key, partial(_search, settings, searches, words))


async def _history(max_lines: int, room: Room) -> Response:
    """A page of lines, byte for byte as they are in the file."""
    state = await room.wait_opened()
    log, first, head = room.history, state.base.seq + 1, state.last.seq
    most = _limit(max_lines)
    if (after := number("after")) is not None:
        entries = await log.after(max(after, first - 1), most)
        place = _next(entries, entries and entries[-1].seq < head, -1)
    elif (middle := number("around")) is not None:
        entries = await log.after(max(middle - 1 - most // 2, first - 1), most)
        more = entries and (entries[0].seq > first or entries[-1].seq < head)
        place = f"{entries[0].seq}-{entries[-1].seq}" if more else ""
    else:
        before = number("before")
        entries = await log.before(head + 1 if before is None else min(before, head + 1), most)
        place = _next(entries, entries and entries[0].seq > first, 0)
    return _page((entry.line for entry in entries if entry.line is not None), place)


def _next(entries: Sequence[Entry], more: object, at: int) -> str:
    """The `seq` to go on from: a page has an entry for each that it covers, shown or not."""
    return str(entries[at].seq) if more else ""


async def _search(
    settings: Settings, searches: Searches, words: Sequence[str], room: Room
) -> Response:
    """The lines that were found; `EdgeChat-Next` is the `before` or `after` of the next request."""
    await room.wait_opened()
    lines, place = await search(
        room, words, _limit(settings.max_page_lines), settings, searches.threads
    )
    return _page(lines, "" if place is None else str(place))


def _limit(most: int) -> int:
    """How many lines are asked for."""
    limit = number("limit")
    return min(max(100 if limit is None else limit, 1), most)


def _page(lines: Iterable[bytes], place: str) -> Response:
    """`place` is where to go on from; nothing where there is no more."""
    body = b"".join(line + b"\n" for line in lines)
    headers = {**PRIVATE, "EdgeChat-More": "true" if place else "false"}
    if place:
        headers["EdgeChat-Next"] = place
    return Response(body, mimetype=NDJSON, headers=headers)
