"""A server played by hand: WebSockets over streams in memory, on the autojump clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection, WebSocketRequest, wrap_server_stream
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event

from .lines import ready

Streams = trio.StapledStream[Any, Any]


class Side:
    """The server's side of one connection."""

    def __init__(self, websocket: WebSocketConnection, stream: Streams) -> None:
        self._websocket = websocket
        self._stream = stream

    async def receive(self) -> dict[str, Any]:
        frame = json.loads(await self._websocket.get_message())
        assert isinstance(frame, dict)
        return frame

    async def send(self, *frames: str) -> None:
        for frame in frames:
            await self._websocket.send_message(frame)

    async def close(self, code: int, reason: str = "") -> None:
        await self._websocket.aclose(code, reason)

    async def cut(self) -> None:
        await self._stream.aclose()

    async def wait_closed(self) -> int:
        """Read to the end; returns the close code that came."""
        while self._websocket.closed is None:
            await trio.testing.wait_all_tasks_blocked()
        return self._websocket.closed.code

    async def join(self, *frames: str, head: int = 0, **more: Any) -> dict[str, Any]:
        hello = await self.receive()
        await self.send(*frames, ready(head, recovered=True if "since" in hello else None, **more))
        return hello


class Peer:
    """Dialled by the client; `accept` answers the next dial."""

    def __init__(self, nursery: trio.Nursery, lockstep: bool) -> None:
        self._nursery = nursery
        self._lockstep = lockstep
        self._dials, self._dialled = trio.open_memory_channel[Streams](100)
        self.dials: list[float] = []  # when
        self.streams: list[Streams] = []  # the client's ends
        self.is_down = False

    async def dial(self) -> trio.abc.Stream:
        self.dials.append(trio.current_time())
        if self.is_down:
            raise OSError("Connection refused")
        ours, theirs = self._pair()
        self.streams.append(ours)
        await self._dials.send(theirs)
        return ours

    def _pair(self) -> tuple[Streams, Streams]:
        if self._lockstep:  # a send waits until it was read
            return trio.testing.lockstep_stream_pair()
        return trio.testing.memory_stream_pair()

    async def stream(self) -> Streams:
        """The next dial, raw."""
        return await self._dialled.receive()

    async def request(self) -> tuple[WebSocketRequest, Streams]:
        """The next dial, with its handshake."""
        stream = await self.stream()
        return await wrap_server_stream(self._nursery, cast("trio.SocketStream", stream)), stream

    async def accept_by_hand(self, then: Event | None, ends: bool) -> None:
        """Accept and send one thing more, all in one segment; never read again."""
        stream = await self.stream()
        http = WSConnection(ConnectionType.SERVER)
        http.receive_data(bytes(await stream.receive_some()))
        answer = http.send(AcceptConnection())
        await stream.send_all(answer + (http.send(then) if then else b""))
        if ends:
            await stream.send_eof()

    async def accept(self) -> Side:
        request, stream = await self.request()
        return Side(await request.accept(), stream)


@asynccontextmanager
async def a_peer(*, lockstep: bool = False) -> AsyncIterator[Peer]:
    async with trio.open_nursery() as nursery:
        peer = Peer(nursery, lockstep)
        yield peer
        for stream in peer.streams:  # whatever came between, the client has closed its ends
            with pytest.raises(trio.ClosedResourceError):
                await stream.send_all(b"x")
        nursery.cancel_scope.cancel()
