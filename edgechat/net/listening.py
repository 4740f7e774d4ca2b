"""The sockets that a server listens on."""

from __future__ import annotations

import socket
from collections.abc import Sequence


class ListenError(Exception):
    """Nobody can listen there. Its text says why, for a person."""


def listen(host: str, port: int) -> Sequence[socket.socket]:
    """Sockets that listen on every address of `host`, with one port. Raises `ListenError`."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind((address[0], port, *address[2:]))
            listening.listen(1024)
            port = listening.getsockname()[1]
    except OSError as error:
        for listening in sockets:
            listening.close()
        reason = (error.strerror or str(error)).lower()
        raise ListenError(f"Can't listen on {host} port {port}: {reason}.") from None
    return sockets


def url(listening: socket.socket) -> str:
    """The address to open."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
