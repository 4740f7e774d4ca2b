"""A WebSocket made by hand: it checks nothing, so that anything can be sent."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, ClassVar

import trio

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SOON = 15.0  # seconds: long for a slow machine, never awaited on a good one
BEGUN = 60.0  # seconds in which a process that was started is there, or one that is told has ended


def frame(
    payload: bytes | str, opcode: int = TEXT, *, fin: bool = True, masked: bool = True, rsv: int = 0
) -> bytes:
    """A frame as a client sends it; or as none should."""
    data = payload.encode() if isinstance(payload, str) else payload
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if masked else 0
    if len(data) < 126:
        head = bytes((first, bit | len(data)))
    elif len(data) < 65_536:
        head = bytes((first, bit | 126)) + len(data).to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + len(data).to_bytes(8, "big")
    if not masked:
        return head + data
    mask = b"\x37\xfa\x21\x3d"
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def say(text: str, **keys: object) -> bytes:
    return frame(json.dumps({"message": text, **keys}))


def hello(name: str, **keys: object) -> bytes:
    return frame(json.dumps({"name": name, **keys}))


def upgrade(room: str, *headers: bytes, path: str | None = None) -> bytes:
    """The request that opens a WebSocket."""
    lines = [
        f"GET {path or f'/api/room/{room}/websocket'} HTTP/1.1".encode(),
        b"Host: localhost",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Wire:
    """One client's connection, bytes and all."""

    opened: ClassVar[set[Wire]] = set()

    def __init__(self, stream: trio.SocketStream) -> None:
        self.opened.add(self)
        self.stream = stream
        self._buffer = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def say(self, text: str, **keys: object) -> None:
        await self.send(say(text, **keys))

    async def head(self) -> bytes:
        """An answer's status line and headers."""
        while b"\r\n\r\n" not in self._buffer:
            await self._more()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        return head

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its first byte, and its payload. `EOFError` where there is no more."""
        first, size = await self.take(2)
        if size == 126:
            size = int.from_bytes(await self.take(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.take(8), "big")
        return first, await self.take(size)

    async def event(self) -> dict[str, Any]:
        """What the next text frame says."""
        first, payload = await self.frame()
        assert first == 0x80 | TEXT, (first, payload)
        event = json.loads(payload)
        assert isinstance(event, dict)
        return event

    async def until(self, key: str, value: object = ...) -> dict[str, Any]:
        """The next event with that key; those before it are dropped."""
        while True:
            event = await self.event()
            if key in event and value in (..., event[key]):
                return event

    async def lines(self, last: int) -> list[dict[str, Any]]:
        """The stored lines that come, to the one whose `seq` is `last`."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["seq"] < last:
            event = await self.event()
            if "timestamp" in event:
                found.append(event)
        return found

    async def close_code(self) -> int:
        """The code of the close frame; all before it is dropped."""
        while True:
            first, payload = await self.frame()
            if first == 0x80 | CLOSE:
                return int.from_bytes(payload[:2], "big")

    async def rest(self) -> bytes:
        """Everything until the other side closes, or resets."""
        try:
            while True:
                await self._more()
        except (EOFError, trio.BrokenResourceError):
            return self._buffer

    def close(self) -> None:
        self.stream.socket.close()
        self.opened.discard(self)

    @classmethod
    def close_all(cls) -> None:
        for wire in list(cls.opened):
            wire.close()

    def widen(self) -> None:
        """Take more at once: a tiny buffer is emptied in tiny steps."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    async def half_close(self) -> None:
        await self.stream.send_eof()

    def reset(self) -> None:
        """RST: the other side is told nothing but that it is over."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    async def take(self, size: int) -> bytes:
        """So many bytes."""
        while len(self._buffer) < size:
            await self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def _more(self) -> None:
        data = await self.stream.receive_some(65_536)
        if not data:
            raise EOFError
        self._buffer += data


async def dial(port: int, receive_buffer: int | None = None, source: str = "127.0.0.1") -> Wire:
    """A plain connection. `receive_buffer`: bytes that the kernel takes for one who doesn't."""
    connection = trio.socket.socket()
    try:
        await connection.bind((source, 0))
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await connection.connect(("127.0.0.1", port))
    except BaseException:
        connection.close()
        raise
    return Wire(trio.SocketStream(connection))


async def open_wire(
    port: int, room: str = "lobby", *headers: bytes, receive_buffer: int | None = None
) -> Wire:
    """A WebSocket after its handshake."""
    wire = await dial(port, receive_buffer)
    await wire.send(upgrade(room, *headers))
    head = await wire.head()
    assert head.startswith(b"HTTP/1.1 101 "), head
    return wire


async def join(port: int, name: str, room: str = "lobby", **keys: object) -> Wire:
    """A member of a room, who has read up to its `ready`."""
    wire = await open_wire(port, room)
    await wire.send(hello(name, **keys))
    await wire.until("ready")
    return wire
