"""A room that this process is in: the client's public face."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import trio

from edgechat.chat.line import Token
from edgechat.client.address import parse_room
from edgechat.client.connection import converse
from edgechat.client.conversation import Conversation
from edgechat.client.events import Event, Info, Limits, Line, Message
from edgechat.client.failures import Refused
from edgechat.client.fallback import Fallback
from edgechat.client.ids import Ids
from edgechat.client.room_api import HistoryLines, RoomApi
from edgechat.client.room_options import Options
from edgechat.client.runner import Runner
from edgechat.client.streams import OpenStream, open_stream

DEFAULTS = Options()


class Room:
    """A room that this process is in, as one of its members. Made and closed by `open_room`.

    Iterate over it for what happens: each `seq` once and in order, across reconnects. The
    iterator never ends by itself; it raises what ended the room. Two tasks that iterate share
    the events, each goes to one of them.

    You need not iterate. At most `Options.buffer` events wait for the iterator (and what one
    join brought); then the socket is not read, and the server, once its patience is over,
    closes it: when there is room again, the room is resumed. But while a `say` waits for its
    answer the socket is read on; what finds no room is dropped, and fetched from the server's
    history, by joining again, when the iterator has caught up.
    """

    def __init__(self, conversation: Conversation, runner: Runner, api: RoomApi, ids: Ids) -> None:
        self._conversation = conversation
        self._runner = runner
        self._api = api
        self._ids = ids

    @property
    def roster(self) -> tuple[str, ...]:
        """The names present, in the order of their coming; as it was, while disconnected.

        It is ahead of the iterator by what waits in the buffer.
        """
        return self._conversation.presence.names

    @property
    def members(self) -> int:
        """How many sessions were here at the last `Ready` or `Members`."""
        return self._conversation.presence.members

    @property
    def limits(self) -> Limits:
        """What the server allows."""
        return self._conversation.limits or Limits()

    @property
    def token(self) -> Token | None:
        """The place in the history up to which the iterator gave out all, to resume from.

        Give it to `open_room` as `since`, now or in another process. None before any.
        """
        return self._conversation.timeline.feed.token

    async def say(self, text: str, *, id: str | None = None, retry: bool = True) -> Message:
        """Say something; returns the line as it is stored.

        The message is sent, after a reconnect again, with the same `id` (1 to 64 printable
        ASCII characters; a random one if none is given), so that it is stored once. Messages of
        several tasks are stored in the order of their calls. This takes as long as it takes: a
        server that is away is waited for, and so is one that refuses for the time being
        (`rate_limited`, `storage_unavailable`, `unavailable`), unless `retry` is false; a `Delayed`
        event says for how long.

        Cancelled, the message may have been stored or not. Saying it again with the same `id`
        finds out, and stores it at most once.

        Raises `Refused`; the `RoomError` that ended the room; `trio.ClosedResourceError` after
        the room was left; `ValueError` for an `id` that can't be or is being said, or text
        with a lone surrogate.
        """
        await trio.lowlevel.checkpoint()
        self._runner.check_open()
        if id is None:
            id = self._ids.new()
        entry = self._conversation.say(text, id, retry=retry)
        self._ids.remember(id)
        await self._runner.wait_answered(entry)
        if isinstance(entry.answer, Refused):
            raise entry.answer
        assert entry.answer is not None
        return entry.answer

    def history(
        self,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
        q: str | None = None,
    ) -> AsyncIterator[Line]:
        """Lines of the room's history, fetched page by page as you iterate; at most `limit`.

        With `after` (a `seq`) they come oldest first, from the line after it up to `before` or
        the newest; without it newest first, from the one before `before` back to the first. A
        damaged line is left out, or is a `Lost`, as the server has it.

        With `q`, words of 200 characters at most, only the messages that have all of them, in any
        place and whatever their case.

        A server that is away, or that says that one reads too fast, is waited for. Raises
        `Rejected` if there is no such room, or `q` has no word or is too long.
        """
        return HistoryLines(self._api, before, after, limit, q)

    async def info(self) -> Info:
        """The room as it is now. Waits and raises as `history` does."""
        return await self._api.info()

    def typing(self) -> None:
        """Show to the others for 5 s that the user types. Call it at each key press."""
        self._runner.check_open()
        self._conversation.type(trio.current_time())
        self._runner.wake()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self._runner.next_event()
        if event is None:
            raise StopAsyncIteration
        return event


@asynccontextmanager
async def open_room(
    url: str,
    name: str = "",
    *,
    since: Token | tuple[int, str] | None = None,
    backlog: int = 100,
    key: str | None = None,
    options: Options = DEFAULTS,
    dial: OpenStream | None = None,
) -> AsyncIterator[Room]:
    """Join a room, and stay in it until the block ends, whatever happens to connections.

    `url` is what the browser shows, `http://127.0.0.1:8080/room/lobby` (https, ws and wss too;
    `room_url` makes one). Without a `name` one is `anonymous`. `since` resumes from a `token`;
    otherwise the last `backlog` lines (0 to 1000) come first. With the same `key`, a secret, a
    later process knows the messages of this one as its own (`Message.mine`). `dial` opens the
    stream in place of TCP and TLS: for a proxy, or a test.

    The block begins when the room is joined. Leaving it closes the connection (1000; the
    server's half is waited for `Options.close_timeout` seconds), then ends the client's tasks;
    a `say` that waits in another task raises `trio.ClosedResourceError`.

    Raises `Rejected`, `Expelled` or `Unreachable` if the room can't be joined; `ValueError` for
    a `url` that is not a room's address. An exception of the block comes out as it is, in no group.
    """
    address = parse_room(url)
    token = None if since is None else Token(*since)
    ids = Ids(key)
    conversation = Conversation(name, backlog, token, ids, options, trio.current_time())
    dial = dial or partial(open_stream, address.server, options)
    api = RoomApi(address, dial, ids, options)
    by_websocket = partial(converse, dial, address.server.authority, address.target, options)
    fallback = Fallback(address, dial, options)
    runner = Runner(conversation, fallback.converse if options.http_fallback else by_websocket)
    error: BaseException | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runner.run)
        try:
            await runner.wait_joined()
            yield Room(conversation, runner, api, ids)
        except BaseException as raised:  # raised below: a nursery would put it into a group
            error = raised
        await _leave(runner, nursery, options, in_haste=isinstance(error, trio.Cancelled))
    if error is not None:
        raise error


async def _leave(runner: Runner, nursery: trio.Nursery, options: Options, in_haste: bool) -> None:
    """Shielded, so that an error which is on its way is not lost; bounded by `close_timeout`."""
    nursery.cancel_scope.shield = True
    if not in_haste:
        with trio.move_on_after(options.close_timeout):
            await runner.leave()
    runner.stop()
