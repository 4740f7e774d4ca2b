"""The body of a request whose head the door has read."""

from __future__ import annotations

import socket
from contextlib import suppress

import trio

from edgechat import system
from edgechat.http.errors import Wrong, too_large, too_slow
from edgechat.http.query import bad_request
from edgechat.http.received import Head
from edgechat.http.request_end import BAD_BODY, TOO_MANY_PIECES, RequestEnd
from edgechat.settings import Settings

_PIECE = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class RequestBody:
    """Reads one body, at most once, of at most so many bytes and pieces, and in bounded time."""

    def __init__(self, connection: socket.socket, head: Head, settings: Settings) -> None:
        self._connection = connection
        self._head = head
        self._most = max(settings.body_bytes, settings.max_frame_bytes)
        self._pieces = settings.body_pieces
        self._head_bytes = settings.head_bytes
        self._seconds = settings.head_timeout
        lengths = head.values("Content-Length") if head.has_body else ["0"]
        self._length = int(lengths[0]) if lengths else None  # None: it comes in chunks
        # What came behind the body, once that is here to its end; else None. It stays so behind
        # chunks: other programs have been known to find another end of them.
        self.behind: bytes | None = None
        if self._length is not None and self._length <= len(head.rest):
            self.behind = head.rest[self._length :]

    async def read(self) -> bytes:
        """The body. Raises `Wrong` where it is too large or slow, or breaks the rules of HTTP."""
        head, length = self._head, self._length
        if length is not None and length > self._most:
            raise too_large()
        if self.behind is not None:
            return head.rest[:length]
        if not head.rest and not head.is_old and self._is_awaited():
            self._connection.send(_CONTINUE)  # it fits: nothing was answered yet
        with trio.move_on_after(self._seconds):
            if length is None:
                return await self._read_chunks()
            return await self._read_all(length)
        raise too_slow()

    def _is_awaited(self) -> bool:
        """Whether the client waits to be told that it may send: RFC 9110, section 10.1.1."""
        return "100-continue" in ", ".join(self._head.values("Expect")).lower()

    async def _read_all(self, length: int) -> bytes:
        data = bytearray(self._head.rest)
        while len(data) < length:
            data += await self._receive()
            self._pieces -= 1
            if self._pieces < 0:
                raise Wrong(*TOO_MANY_PIECES)
        self.behind = bytes(data[length:])
        return bytes(data[:length])

    async def _read_chunks(self) -> bytes:
        body = bytearray()
        end = RequestEnd(self._head_bytes, self._pieces, body.extend)
        end.feed(self._head.text + self._head.rest)
        while not end.is_over:
            if end.is_wrong:
                raise Wrong(*BAD_BODY)
            if end.is_in_crumbs:
                raise Wrong(*TOO_MANY_PIECES)
            if len(body) > self._most:
                break
            end.feed(await self._receive())
        if len(body) > self._most:
            raise too_large()
        return bytes(body)

    async def _receive(self) -> bytes:
        while True:
            await system.wait_readable(self._connection)
            with suppress(BlockingIOError):
                data = self._connection.recv(_PIECE)
                if not data:
                    raise bad_request("The request's body ended too early.")
                return data
