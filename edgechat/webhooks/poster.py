"""Posts to one target: HTTP/1.1 by `h11` on a connection that is kept while there is more to post.

Whatever the target answers is bounded in size here, and in time by the caller.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence

import h11
import trio

from edgechat import __version__, system
from edgechat.webhooks.hook import Target

_HEAD_BYTES = 16 * 1024  # of an answer's head
_BODY_BYTES = 64 * 1024  # of an answer's body, which says nothing to us
_PIECE = 16 * 1024

# What a target, or the way to it, can do wrong. `trio.TooSlowError` is the caller's deadline;
# `UnicodeError` is a host name that can't be one.
NETWORK_ERRORS = (
    OSError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
    h11.ProtocolError,
    UnicodeError,
)

Dial = Callable[[Target], Awaitable[trio.abc.Stream]]


class Dialer:
    """A `Dial` by TCP, and TLS where the address asks for it.

    It keeps what it trusts: reading the system's certificates takes some 20 ms.
    """

    def __init__(self) -> None:
        self._trusted: ssl.SSLContext | None = None

    async def __call__(self, target: Target) -> trio.abc.Stream:
        """Connect. The caller closes the stream.

        Raises `OSError`; a TLS handshake that fails shows at the first use, as
        `trio.BrokenResourceError`.
        """
        host, port = target.host, target.port
        if target.scheme == "http":
            return await trio.open_tcp_stream(host, port)
        if self._trusted is None:
            self._trusted = await system.run_in_thread(ssl.create_default_context)
        return await trio.open_ssl_over_tcp_stream(
            host, port, ssl_context=self._trusted, https_compatible=True
        )


class Poster:
    """One target, and the connection to it while there is one. `close` it in the end."""

    def __init__(self, target: Target, dial: Dial) -> None:
        self._target = target
        self._dial = dial
        self._stream: trio.abc.Stream | None = None
        self._http = h11.Connection(h11.CLIENT)

    async def post(self, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        """Post, and return the answer's status. Raises one of `NETWORK_ERRORS`."""
        try:
            status = await self._exchange(headers, body)
        except BaseException:
            await self.close()
            raise
        is_whole = self._http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}
        if is_whole and self._http.trailing_data == (b"", False):
            self._http.start_next_cycle()
        else:  # it closes, its body goes on for too long, or something nobody asked for is behind
            await self.close()
        return status

    async def close(self) -> None:
        """Drop the connection; the next `post` opens another. Never waits for the other side."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await trio.aclose_forcefully(stream)

    async def _exchange(self, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        if self._stream is None:
            self._stream = await self._dial(self._target)
            self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
        request = h11.Request(
            method="POST",
            target=self._target.path,
            headers=[
                ("Host", self._target.authority),
                ("User-Agent", f"EdgeChat/{__version__}"),
                ("Content-Length", str(len(body))),
                *headers,
            ],
        )
        http = self._http
        parts = [http.send(event) for event in (request, h11.Data(body), h11.EndOfMessage())]
        await self._stream.send_all(b"".join(part for part in parts if part))
        status = 0
        size = 0
        while size <= _BODY_BYTES:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(bytes(await self._stream.receive_some(_PIECE)))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                size += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
        return status
