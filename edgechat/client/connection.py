"""One WebSocket connection, from dialling to its end, whatever that is.

What is known of trio-websocket 0.12 and kept in here: it raises exception groups; a connection
that ends during the handshake leaves it waiting; closing may wait for good after a protocol
error; after the server's close it leaves the stream open; its reader fails with wsproto's or
h11's `LocalProtocolError` where the answer is not HTTP, or when a ping comes while closing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol, cast

import h11
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from wsproto.utilities import ProtocolError

from edgechat.client.reconnect import LOST, Ended
from edgechat.client.room_options import Options
from edgechat.client.streams import EarlyEnd, HandshakeCut, OpenStream
from edgechat.client.wire import decode_error

QUEUE = 64  # frames read ahead of us; trio-websocket wakes two tasks a frame when it is 1

NETWORK_ERRORS = (
    ConnectionClosed,
    HandshakeCut,
    HandshakeError,
    OSError,
    ProtocolError,
    h11.ProtocolError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
)
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (trio.TooSlowError, "the server took too long"),
    (ProtocolError, "what answered does not speak WebSocket"),
    (h11.ProtocolError, "what answered does not speak WebSocket"),
)


class Frames(Protocol):
    """A connection to a room, by which frames come and go."""

    async def receive(self) -> str | bytes | Ended:
        """The next frame, or how the connection ended."""
        ...

    async def send(self, frames: Iterable[str]) -> None:
        """Send text frames, in order. Does nothing once the connection has ended."""
        ...


class Connection:
    """An open WebSocket that speaks text. Closed by `converse`."""

    def __init__(self, websocket: WebSocketConnection, send_timeout: float) -> None:
        self._websocket = websocket
        self._send_timeout = send_timeout
        self.heard = False  # whether any frame came

    async def receive(self) -> str | bytes | Ended:
        """The next frame, or how the connection ended."""
        try:
            frame = await self._websocket.get_message()
        except ConnectionClosed as closed:
            return ended_by(closed)
        self.heard = True
        return frame

    async def send(self, frames: Iterable[str]) -> None:
        """Send text frames, in order. Raises `trio.TooSlowError` where the server does not read.

        Does nothing once the connection has ended: `receive` says so, after what came before.
        """
        with suppress(ConnectionClosed, ProtocolError), trio.fail_after(self._send_timeout):
            for frame in frames:
                await self._websocket.send_message(frame)


Talk = Callable[[Frames], Awaitable[Ended]]


async def converse(dial: OpenStream, host: str, target: str, options: Options, talk: Talk) -> Ended:
    """Dial, shake hands, `talk` until it returns, close; returns how it ended, or why it failed.

    Raises nothing but `trio.Cancelled` and defects. The stream is closed in every case.
    """
    deadline = trio.current_time() + options.connect_timeout
    try:
        with trio.fail_at(deadline):
            stream = await dial()
    except NETWORK_ERRORS as error:
        return ended_by(error)
    try:
        return await _over(EarlyEnd(stream), host, target, deadline, options, talk)
    except BaseExceptionGroup as group:
        return _ended_by_group(group)
    finally:
        await trio.aclose_forcefully(stream)


async def _over(
    stream: EarlyEnd, host: str, target: str, deadline: float, options: Options, talk: Talk
) -> Ended:
    async with trio.open_nursery() as nursery:
        with trio.fail_at(deadline):
            websocket = await wrap_client_stream(
                nursery,
                cast("trio.SocketStream", stream),  # any stream does
                host,
                target,
                message_queue_size=QUEUE,
                max_message_size=options.max_frame_chars,
            )
        stream.is_open = True
        ended = await talk(Connection(websocket, options.ping_timeout))
        with trio.move_on_after(options.close_timeout):
            await websocket.aclose()
        nursery.cancel_scope.cancel()
    return ended


def ended_by(error: BaseException) -> Ended:
    """What an error of the network says of the connection's end."""
    if isinstance(error, ConnectionRejected):
        return _rejected(error)
    if not isinstance(error, ConnectionClosed):
        words = (words for kind, words in _WORDS if isinstance(error, kind))
        text = next(words, str(error) or type(error).__name__)
        return Ended(text=text, is_late=isinstance(error, trio.TooSlowError))
    if error.reason is None:
        return Ended()
    return Ended(int(error.reason.code), error.reason.reason or LOST)


def _ended_by_group(group: BaseExceptionGroup[BaseException]) -> Ended:
    ours, others = group.split(NETWORK_ERRORS)
    if others is not None or ours is None:
        raise group
    return ended_by(_first(ours))


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _rejected(error: ConnectionRejected) -> Ended:
    retry_after = dict(error.headers).get(b"retry-after", b"")
    return ended_by_http(error.status_code, error.body or b"", retry_after)


def ended_by_http(status: int, body: bytes, retry_after: bytes) -> Ended:
    """What an HTTP answer says of why there is no connection."""
    said = decode_error(body)
    return Ended(
        text=said.error or "the server refused the connection",
        status=status,
        error=said.code,
        retry_after=float(retry_after) if retry_after.isdigit() else 0.0,
    )
