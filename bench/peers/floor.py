"""The floor: raw sockets, epoll, one send for each member, and no chat.

What fanning out costs if nothing else is done: no roster, no backlog, no history, no checks. It
knows just enough WebSocket for the load generator to talk to it, and of JSON nothing at all: a
frame that begins with `{"name"` is answered with `ready`, any other is sent to the whole room.
"""

from __future__ import annotations

import select
import socket
import sys
from base64 import b64encode
from collections import defaultdict
from hashlib import sha1

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
READY = b"\x81\x0e" + b'{"ready":true}'


def accept_key(head: bytes) -> bytes:
    """The answer to the key in an upgrade request (RFC 6455, 4.2.2)."""
    key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
    return b64encode(sha1(key + GUID).digest())


def unmasked(frame: bytes, start: int, size: int) -> bytes:
    """The payload of a masked frame."""
    key = (frame[start : start + 4] * (size // 4 + 1))[:size]
    mixed = int.from_bytes(frame[start + 4 : start + 4 + size], "big")
    return (mixed ^ int.from_bytes(key, "big")).to_bytes(size, "big")


class Floor:
    """All connections and the rooms they are in."""

    def __init__(self, port: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self.epoll = select.epoll()
        self.epoll.register(self.listener, select.EPOLLIN)
        self.sockets: dict[int, socket.socket] = {}
        self.rooms: defaultdict[bytes, list[socket.socket]] = defaultdict(list)
        self.room_of: dict[int, list[socket.socket]] = {}
        self.rests: dict[int, bytes] = {}

    def run(self) -> None:
        """Serve until killed."""
        door = self.listener.fileno()
        while True:
            for fd, _event in self.epoll.poll():
                if fd == door:
                    self.accept()
                else:
                    self.read(fd)

    def accept(self) -> None:
        """A new connection."""
        peer, _address = self.listener.accept()
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets[peer.fileno()] = peer
        self.epoll.register(peer, select.EPOLLIN)

    def read(self, fd: int) -> None:
        """Whatever a connection sent."""
        try:
            data = self.rests.pop(fd, b"") + (chunk := self.sockets[fd].recv(65536))
        except ConnectionError:
            return self.leave(fd)
        if not chunk:
            return self.leave(fd)
        if fd in self.room_of:
            return self.frames(fd, data)
        return self.open(fd, data)

    def open(self, fd: int, head: bytes) -> None:
        """Answer an upgrade."""
        if not head.endswith(b"\r\n\r\n"):
            self.rests[fd] = head
            return
        self.room_of[fd] = self.rooms[head.split(b" ", 2)[1]]
        self.sockets[fd].send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(head) + b"\r\n\r\n"
        )

    def frames(self, fd: int, data: bytes) -> None:
        """Take the frames in `data`, short masked texts all of them."""
        at = 0
        while len(data) - at >= 6:
            size = data[at + 1] & 0x7F
            if len(data) - at < size + 6:
                break
            if data[at] & 0x0F == 8:
                self.leave(fd)
                return
            self.say(fd, unmasked(data, at + 2, size))
            at += size + 6
        if at < len(data):
            self.rests[fd] = data[at:]

    def say(self, fd: int, payload: bytes) -> None:
        """One send for each member."""
        members = self.room_of[fd]
        if payload.startswith(b'{"name"'):
            members.append(self.sockets[fd])
            self.sockets[fd].send(READY)
            return
        line = b'{"seq":12345,"timestamp":1763880000123,"name":"n1",' + payload[1:]
        frame = b"\x81" + (bytes((len(line),)) if len(line) < 126 else
                           b"\x7e" + len(line).to_bytes(2, "big")) + line  # fmt: skip
        for member in members:
            member.send(frame)

    def leave(self, fd: int) -> None:
        """A connection is gone."""
        peer = self.sockets.pop(fd)
        members = self.room_of.pop(fd, [])
        if peer in members:
            members.remove(peer)
        peer.close()


Floor(int(sys.argv[1])).run()
