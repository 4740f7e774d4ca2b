"""One plain connection, as Hypercorn is given it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import trio

from edgechat.http.request_end import (
    BAD_BODY,
    EMPTY_500,
    TOO_MANY_PIECES,
    RequestEnd,
    whole_answer,
    whole_defect,
)
from edgechat.settings import Settings

_PIECE = 64 * 1024
CONNECTION = "edgechat.connection"  # the `PrefixedStream` of a request, in its scope's state
_MOST_BEHIND = 64 * 1024  # bytes behind a request that are read, to learn that the client has left


def _nothing() -> None:
    """Nobody wants to know."""


class PrefixedStream(trio.abc.HalfCloseableStream):
    """A connection whose first bytes were read already.

    Closing it ends at once whatever Hypercorn still does for it: Hypercorn closes in the app's
    task when it has cancelled that task already, and then it may wait for ever for a request.
    Sending is bounded: Hypercorn shields its sends from cancellation, so a client that does not
    read would keep a server from ever stopping.
    """

    def __init__(self, connection: socket.socket, head: bytes, settings: Settings) -> None:
        self.life = trio.CancelScope()  # all that is done for it is done in here
        self.socket = trio.socket.from_stdlib_socket(connection)  # Hypercorn asks its addresses
        self._connection = connection
        self.let_go: Callable[[], None] = _nothing  # called when it is taken
        self.is_taken = False
        self._was_taken = trio.Event()
        self._is_answered = False  # at least in part
        self._stream = trio.SocketStream(self.socket)
        self._early = head
        self._end: RequestEnd | None = None  # while more of the request is to come
        self._patience = settings.stall_timeout
        self._last_answer = settings.last_answer
        self._most_pieces = settings.body_pieces

    def expect_body(self, early: bytes) -> None:
        """The request has a body, which begins with `early`."""
        self._end = RequestEnd(len(self._early), self._most_pieces)
        self._early = self._of_request(self._early + early)

    def take(self) -> socket.socket:
        """The connection, for an app that answers by itself: no other answer goes out from now on.

        Whoever takes it neither reads from it nor closes it, and calls `end` when all is said.
        """
        self.is_taken = True
        self._was_taken.set()
        self.let_go()
        return self._connection

    async def end(self) -> NoReturn:
        """All is said on a connection that was taken: whatever is done for it is cancelled.

        Else Hypercorn would go through an answer that goes nowhere.
        """
        self.life.cancel()
        await trio.sleep_forever()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What was read already, then what comes of the request, then the client's leaving."""
        if self._end is not None and self._end.is_in_crumbs:
            self._give_up()
        if self._early:
            await trio.lowlevel.checkpoint()
            early, self._early = self._early, b""
            return early
        data = await self._receive() if self._end is not None else await self._wait_left()
        if not data and not self.is_taken:
            # Hypercorn takes it for leaving, but a client that says no more may still read.
            with trio.move_on_after(self._last_answer):
                await self._was_taken.wait()
        return data

    async def _receive(self) -> bytes:
        data = self._of_request(bytes(await self._stream.receive_some(_PIECE)))
        if self._end is not None and self._end.is_in_crumbs:
            self._give_up()
        return data

    def _give_up(self) -> NoReturn:
        """The request's body comes in crumbs. Raises `trio.BrokenResourceError`."""
        if not self._is_answered:
            self.is_taken = self._is_answered = True
            with suppress(OSError):
                self._connection.send(whole_answer(*TOO_MANY_PIECES))
        self.life.cancel()
        raise trio.BrokenResourceError

    def _of_request(self, data: bytes) -> bytes:
        if self._end is not None and data:
            data = self._end.feed(data)
            if self._end.is_over:
                self._end = None
        return data

    async def _wait_left(self) -> bytes:
        """Until the client sends no more: it has asked for what it wants."""
        behind = 0
        while data := await self._stream.receive_some(_PIECE):
            behind += len(data)
            if behind > _MOST_BEHIND:
                await trio.sleep_forever()  # the answer's end cancels it
        return b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all, or raise `trio.BrokenResourceError` where the client does not read."""
        if self.is_taken:
            await trio.lowlevel.checkpoint()
            return
        self._is_answered = True
        if self._end is not None and self._end.is_wrong:
            data, self.is_taken = whole_answer(*BAD_BODY), True  # Hypercorn's answer would be empty
        elif EMPTY_500.match(data):
            data, self.is_taken = whole_defect(), True
        try:
            await self._send_in_time(memoryview(data))
        except trio.BrokenResourceError:
            self.life.cancel()  # Hypercorn would wait for a read to say so
            raise

    async def _send_in_time(self, view: memoryview) -> None:
        for at in range(0, len(view), _PIECE):
            with trio.move_on_after(self._patience) as patience:
                await self._stream.send_all(view[at : at + _PIECE])
            if patience.cancelled_caught:
                raise trio.BrokenResourceError("the client does not read")

    async def wait_send_all_might_not_block(self) -> None:
        """Until there is room to send."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Nothing more will be sent."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """Nothing more will be sent or received; the socket's owner closes it."""
        await self.send_eof()
        self.life.cancel()
