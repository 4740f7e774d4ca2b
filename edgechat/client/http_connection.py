"""A room by HTTP, for networks that let no WebSocket through.

It takes and gives the frames of a WebSocket, so that the same code handles resume, ids and
refusals both ways: what is said goes by `POST …/messages`, what is heard comes by `GET …/events`.
A follower by events is not a member (`docs/protocol.md`, Following): it is told no names but its
own, and others are not told of it, nor that it types. `members` counts the members and this client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from math import inf

import msgspec
import trio

from edgechat.chat.errors import REFUSALS
from edgechat.chat.line import Token
from edgechat.client.connection import NETWORK_ERRORS, QUEUE, Talk, ended_by, ended_by_http
from edgechat.client.following import Following, encode
from edgechat.client.http_request import HttpAnswer
from edgechat.client.reconnect import ABNORMAL, Ended
from edgechat.client.room_requests import NoAnswer, RoomRequests
from edgechat.client.server_sent import EventParser


class _Place(msgspec.Struct, frozen=True):
    seq: int
    h: str


class _Said(msgspec.Struct, frozen=True):
    """A frame of a client: which keys are there says which it is."""

    name: str | None = None
    backlog: int = 0
    since: _Place | None = None
    message: str | None = None
    id: str | None = None
    ping: int | None = None


_said = msgspec.json.Decoder(_Said).decode
_RULES = {str(code): rule for code, rule in REFUSALS.items()}


class HttpConnection:
    """Frames to and from a room, by requests, whose tasks live in `nursery`."""

    def __init__(self, nursery: trio.Nursery, requests: RoomRequests) -> None:
        self._nursery = nursery
        self._requests = requests
        self._sender, self._frames = trio.open_memory_channel[str | Ended](QUEUE)
        self._posts, self._posted = trio.open_memory_channel[_Said](inf)  # `Options.window` bounds
        self._name = ""
        self._following: Following | None = None
        self._start(self._post_all)

    async def receive(self) -> str | bytes | Ended:
        """The next frame, or how the connection ended."""
        return await self._frames.receive()

    async def send(self, frames: Iterable[str]) -> None:
        """Take a client's frames; what they bring is received."""
        for frame in map(_said, frames):
            if frame.message is not None:
                self._posts.send_nowait(frame)
            elif frame.ping is not None:
                self._start(partial(self._check, frame.ping))
            elif frame.name is not None:
                self._start(partial(self._join, frame))
        await trio.lowlevel.checkpoint()

    async def end(self, ended: Ended) -> None:
        """The connection is over, for this reason."""
        await self._sender.send(ended)

    def _start(self, act: Callable[[], Awaitable[None]]) -> None:
        """What fails ends the connection."""

        async def guarded() -> None:
            try:
                await act()
            except NoAnswer as failure:
                await self.end(failure.ended)
            except (msgspec.DecodeError, ValueError) as error:
                await self.end(Ended(text=f"not of this protocol: {error}"))
            except NETWORK_ERRORS as error:
                await self.end(ended_by(error))

        self._nursery.start_soon(guarded)

    async def _tell(self, frames: Iterable[str]) -> None:
        for frame in frames:
            await self._sender.send(frame)

    async def _post_all(self) -> None:
        """One after the other, so that the order is kept. A client speaks after `ready`."""
        async for message in self._posted:
            answer = await self._requests.post(self._name, message.message or "", message.id)
            if answer.status != 201:
                await self._refused(answer, message.id)
            elif self._following is not None and self._following.repeats(answer.body):
                await self._tell([answer.body.decode()])

    async def _refused(self, answer: HttpAnswer, id: str | None = None) -> None:
        """A refusal is a frame; without a message that it is for, it ends the connection.

        So does all else: it is what a proxy says in the server's place, or that there is no room.
        """
        ended = ended_by_http(answer.status, answer.body, answer.headers.get(b"retry-after", b""))
        rule = _RULES.get(ended.error)
        if rule is None:
            return await self.end(ended)
        frame: dict[str, object] = {"error": ended.text, "code": ended.error}
        if ended.retry_after:
            frame["retry_after_ms"] = round(ended.retry_after * 1000)
        if id is not None:
            return await self._tell([encode(**frame, id=id)])
        await self._tell([encode(**frame)])
        close = rule.close or rule.may_close
        return await self.end(Ended(int(close) if close else ABNORMAL, ended.text))

    async def _check(self, ping: int) -> None:
        if self._following is not None:
            await self._tell(self._following.check(ping, await self._requests.head()))

    async def _join(self, hello: _Said) -> None:
        """The server checks a message's text last: it refuses an empty one for that, if it admits
        the name.
        """
        self._name = hello.name or ""
        admitted = await self._requests.post(self._name, "", None)
        if ended_by_http(admitted.status, admitted.body, b"").error != "empty_message":
            return await self._refused(admitted)
        since = None if hello.since is None else Token(hello.since.seq, hello.since.h)
        head = await self._requests.head()
        following = self._following = Following(self._name, head, hello.backlog, since)
        async with self._requests.events(following.place) as events:
            if isinstance(events, HttpAnswer):
                return await self._refused(events)
            await self._tell(following.begin())
            parsed = EventParser()
            while (data := await events.receive()) is not None:
                for event in parsed.feed(data):
                    await self._tell(following.take(event))
        return await self.end(Ended())


async def converse_by_http(
    requests: RoomRequests, until: Callable[[], Awaitable[Ended]], talk: Talk
) -> Ended:
    """Be in a room by HTTP: `talk` until it returns, or until `until` says why it ends.

    Raises nothing but `trio.Cancelled` and defects.
    """
    async with trio.open_nursery() as nursery:
        connection = HttpConnection(nursery, requests)

        async def end_when_told() -> None:
            await connection.end(await until())

        nursery.start_soon(end_when_told)
        ended = await talk(connection)
        nursery.cancel_scope.cancel()
    return ended
