"""What a client asks over HTTP: a new private room, a room's head, pages of its history."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import inf
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec
import trio

from edgechat.client.address import RoomAddress, parse_room, parse_server, room_url
from edgechat.client.connection import NETWORK_ERRORS, ended_by, ended_by_http
from edgechat.client.events import Info, Line
from edgechat.client.failures import Rejected
from edgechat.client.http_request import HttpAnswer, request
from edgechat.client.ids import Ids
from edgechat.client.reconnect import Ended, Reconnect
from edgechat.client.room_options import Options
from edgechat.client.streams import OpenStream, open_stream
from edgechat.client.wire import BadFrame, decode, line_of

PAGE = 1_000  # lines: the most that the server gives at once
DEFAULTS = Options()

Value = TypeVar("Value")


class Page(NamedTuple):
    """Lines, oldest first, and the `seq` to go on from; None where there is no more."""

    lines: list[Line]
    next: int | None


class RoomApi:
    """Requests about one room, repeated until EdgeChat itself answers."""

    def __init__(
        self,
        address: RoomAddress,
        dial: OpenStream,
        ids: Ids,
        options: Options,
        within: float = inf,
    ) -> None:
        """`within`: seconds for which a server that is away is waited for."""
        self._within = within
        self._address = address
        self._dial = dial
        self._ids = ids
        self._options = options

    async def info(self) -> Info:
        """The room as it is now."""
        return await self._get("", _info)

    async def page(self, query: str) -> Page:
        """A page of the history, by its query: `limit`, `before` or `after`, and `q`."""
        return await self._get(f"/history?{query}", self._read_page)

    def _read_page(self, answer: HttpAnswer) -> Page:
        more, next = (answer.headers.get(b"edgechat-" + name, b"") for name in (b"more", b"next"))
        if not more or next.isdigit() != (more == b"true"):
            raise BadFrame("the answer is not a page of history")
        frames = [decode(line) for line in answer.body.splitlines()]
        lines = [line_of(frame, live=False, ids=self._ids) for frame in frames]
        return Page(lines, int(next) if next else None)

    async def _get(self, path: str, read: Callable[[HttpAnswer], Value]) -> Value:
        """Raises `Rejected` if EdgeChat says so; any other answer, or none, is tried again.

        Raises `Unreachable` after `within` seconds of that.
        """
        reconnect = Reconnect(replace(self._options, join_within=self._within), trio.current_time())
        server, target = self._address.server, self._address.api(path)
        while True:
            try:
                answer = await request("GET", server, target, self._dial, self._options)
                if answer.status == 200:
                    return read(answer)
                retry_after = answer.headers.get(b"retry-after", b"")
                ended = ended_by_http(answer.status, answer.body, retry_after)
            except BadFrame as error:
                ended = Ended(text=str(error))
            except NETWORK_ERRORS as error:
                ended = ended_by(error)
            await trio.sleep(reconnect.wait(ended, None, trio.current_time()))


class HistoryLines:
    """Iterates over lines, page by page; see `Room.history`. It may be dropped at any time."""

    def __init__(
        self,
        api: RoomApi,
        before: int | None,
        after: int | None,
        limit: int | None,
        words: str | None = None,
    ) -> None:
        self._api = api
        self._forward = after is not None
        self._at = after if self._forward else before
        self._end = inf if before is None else before
        self._left = inf if limit is None else limit
        self._words = words
        self._lines: deque[Line] = deque()
        self._more = True

    def __aiter__(self) -> HistoryLines:
        return self

    async def __anext__(self) -> Line:
        while self._left > 0 and self._more and not self._lines:
            await self._fetch()
        if self._left <= 0 or not self._lines:
            raise StopAsyncIteration
        line = self._lines.popleft()
        if line.seq >= self._end:
            self._left = 0
            raise StopAsyncIteration
        self._left -= 1
        return line

    async def _fetch(self) -> None:
        """The next page begins where the server says: what a page covers is not all in it."""
        query: dict[str, int | str] = {"limit": int(min(self._left, PAGE))}
        if self._at is not None:
            query["after" if self._forward else "before"] = self._at
        if self._words is not None:
            query["q"] = self._words
        page = await self._api.page(urlencode(query))
        self._lines.extend(page.lines if self._forward else reversed(page.lines))
        self._at = page.next
        self._more = page.next is not None and not (self._forward and page.next + 1 >= self._end)


def _info(answer: HttpAnswer) -> Info:
    try:
        return msgspec.json.decode(answer.body, type=Info)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadFrame(str(error)) from None


def _api(url: str, options: Options) -> RoomApi:
    address = parse_room(url)
    dial = partial(open_stream, address.server, options)
    return RoomApi(address, dial, Ids(), options, options.join_within)


def past(url: str, limit: int, *, options: Options = DEFAULTS) -> HistoryLines:
    """The last lines of the room at `url`, newest first, without being in it; at most `limit`.

    Raises `Rejected` if there is no such room; `Unreachable` if the server is away for
    `Options.join_within` seconds; `ValueError` for a `url` that is not a room's address.
    """
    return HistoryLines(_api(url, options), None, None, limit)


async def room_info(url: str, *, options: Options = DEFAULTS) -> Info:
    """The room at `url` as it is now, without being in it. Raises as `past` does."""
    return await _api(url, options).info()


async def new_private_room(url: str, *, options: Options = DEFAULTS) -> str:
    """Ask the server at `url` (`http://127.0.0.1:8080`) for a private room; returns its address.

    The address holds the room's id, which is its only lock: whoever has it can come in.

    Raises `Rejected` for any answer but 200 and 201; `OSError`, `trio.BrokenResourceError`,
    `trio.TooSlowError` (after `Options.connect_timeout`) where there is none.
    """
    server = parse_server(url)

    async def dial() -> trio.abc.Stream:
        return await open_stream(server, options)

    with trio.fail_after(options.connect_timeout):
        answer = await request("POST", server, f"{server.prefix}/api/room", dial, options)
    text = answer.body.decode(errors="replace").strip()
    if answer.status not in (200, 201):
        raise Rejected(answer.status, text)
    return room_url(url, text)
