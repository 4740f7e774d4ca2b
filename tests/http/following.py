"""A follower of a room by HTTP, as simple as can be."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.serving.running import Running
from tests.serving.wire import Wire, dial

NDJSON = "Accept: application/x-ndjson"


class Event(NamedTuple):
    """A server-sent event as it came."""

    event: str
    id: str
    data: bytes


class Follower:
    """One connection to `/events`, after the answer's head."""

    def __init__(self, wire: Wire, head: bytes) -> None:
        self.wire = wire
        self.status = int(head.split(b" ")[1])
        pairs = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
        self.headers = {name.decode().lower(): value.decode() for name, _, value in pairs}
        self.id = ""  # the last one, as a browser keeps it
        self.comments = 0
        self._buffer = b""

    async def event(self) -> Event:
        """The next event that says something. `EOFError` at the end."""
        while True:
            event, data = "message", []
            for line in (await self._until(b"\n\n")).splitlines():
                name, _, value = line.partition(b": ")
                if name == b"id":
                    self.id = value.decode()
                elif name == b"event":
                    event = value.decode()
                elif name == b"data":
                    data.append(value)
                elif line.startswith(b":"):
                    self.comments += 1
                else:
                    assert name == b"retry", line
            if data:
                return Event(event, self.id, b"\n".join(data))

    async def lines(self, last: int) -> list[bytes]:
        """The lines that come, to the one whose `seq` is `last`."""
        found: list[bytes] = []
        while not found or json.loads(found[-1])["seq"] < last:
            event = await self.event()
            assert event.event == "message", event
            line: dict[str, Any] = json.loads(event.data)
            if "h" in line:
                assert event.id == f"{line['seq']}:{line['h']}"
            found.append(event.data)
        return found

    async def plain_line(self) -> bytes:
        """The next line of NDJSON that is not empty."""
        while not (line := await self._until(b"\n")):
            self.comments += 1
        return line

    async def comment(self) -> None:
        """Until the next comment of server-sent events, passing over what else comes."""
        while not (await self._until(b"\n\n")).startswith(b":"):
            pass

    async def empty_line(self) -> None:
        """The next line of NDJSON, which is empty: that is its comment."""
        assert await self._until(b"\n") == b""

    async def end(self) -> bytes:
        """What comes until the connection ends."""
        return self._buffer + await self.wire.rest()

    def close(self) -> None:
        self.wire.close()

    async def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._buffer += await self.wire.take(1)
            if self.wire._buffer:
                self._buffer += await self.wire.take(len(self.wire._buffer))
        found, self._buffer = self._buffer.split(mark, 1)
        return found


async def follow(
    server: Running,
    query: str = "",
    *headers: str,
    room: str = "lobby",
    port: int | None = None,
    path: str = "/",
    receive_buffer: int | None = None,
    version: str = "1.1",
) -> Follower:
    wire = await dial(port or server.port, receive_buffer)
    lines = [f"GET {path}api/room/{room}/events{query} HTTP/{version}"]
    await wire.send("\r\n".join([*lines, "Host: localhost", *headers, "", ""]).encode())
    return Follower(wire, await wire.head())
