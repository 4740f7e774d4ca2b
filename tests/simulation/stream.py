"""The client's end of a connection, as a Trio stream; and the server's door."""

from __future__ import annotations

from collections import deque

import trio

from .network import Link, ServerSocket, Signal, Watch


class ClientStream(trio.abc.Stream):
    """What `dial` gives a client. The two watches see each byte that goes and comes."""

    def __init__(self, link: Link, sent: Watch, received: Watch) -> None:
        self.link = link
        self._sent = sent
        self._received = received
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        self.send_nowait(bytes(data))

    def send_nowait(self, data: bytes) -> None:
        """A client says little: what it sends always finds room."""
        if self._closed:
            raise trio.ClosedResourceError
        if self.link.down.is_reset:
            raise trio.BrokenResourceError
        self._sent(data)
        taken = self.link.up.send(data)
        assert taken == len(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.link.up.wait_writable()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._closed:
            raise trio.ClosedResourceError
        await self.link.down.wait_readable()
        if self._closed:
            raise trio.ClosedResourceError
        try:
            data = self.link.down.receive(max_bytes or 65_536)
        except BlockingIOError:  # another took it
            return await self.receive_some(max_bytes)
        except OSError:
            raise trio.BrokenResourceError from None
        self._received(data)
        return data

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self.link.down.hang_up()
            self.link.up.end(trio.current_time(), reset=False, loses=False)
        await trio.lowlevel.checkpoint()


class Door:
    """A listening socket, as far as `edgechat.net` uses it."""

    def __init__(self) -> None:
        self._waiting: deque[Link] = deque()
        self._knocked = Signal()

    def knock(self, link: Link) -> None:
        self._waiting.append(link)
        self._knocked.fire()

    def accept(self) -> tuple[ServerSocket, tuple[str, int]]:
        if not self._waiting:
            raise BlockingIOError
        link = self._waiting.popleft()
        return ServerSocket(link), (link.peer, 40_000 + link.number)

    def getsockname(self) -> tuple[str, int]:
        return ("0.0.0.0", 8080)

    def close(self) -> None:
        pass

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self._waiting:
            await self._knocked.wait_until(float("inf"))
