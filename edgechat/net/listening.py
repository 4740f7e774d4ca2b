"""The sockets that a server listens on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Sequence
from contextlib import suppress

from edgechat.net.unix_socket import BACKLOG, ListenError, listen_unix
from edgechat.settings import Settings

_DEFAULT_HOST = "127.0.0.1"
_ALL_V4, _ALL_V6 = "0.0.0.0", "::"
_ANY = ("*", "")
_TRIES = 200  # ports that the system chooses: with many connections most are taken somewhere
__all__ = ("ListenError", "listen", "listen_at", "listen_for", "url")
Address = tuple[socket.AddressFamily, str, int]  # the last is an IPv6 scope


def listen_for(settings: Settings) -> Sequence[socket.socket]:
    """All sockets that a server listens on, the Unix socket last. Raises `ListenError`."""
    hosts = settings.hosts or (() if settings.uds else (_DEFAULT_HOST,))
    sockets = [*listen(hosts, settings.port)]
    try:
        return [*sockets, listen_unix(settings.uds)] if settings.uds else sockets
    except ListenError:
        for listening in sockets:
            listening.close()
        raise


def listen(hosts: str | Collection[str], port: int) -> Sequence[socket.socket]:
    """Sockets that listen on every address of every host, with one port. Raises `ListenError`.

    `::` is every address of both families, `0.0.0.0` every one of IPv4, and `*` whichever of the
    two this machine has. With port 0 the system chooses one; it knows the first address only, so
    another is asked for where a later address has somebody at it.
    """
    hosts = (hosts,) if isinstance(hosts, str) else hosts
    for _ in range(0 if port else _TRIES):
        with suppress(_Taken):
            return _listen_once(hosts, port)
    return _listen_once(hosts, port)


class _Taken(ListenError):
    """Somebody listens there, or has a connection from there."""


def _listen_once(hosts: Collection[str], port: int) -> Sequence[socket.socket]:
    sockets: list[socket.socket] = []
    host = ""
    try:
        found: dict[Address, str] = {}
        for host in hosts:
            found |= dict.fromkeys(_addresses(host), host)
        v6_only = any(address == _ALL_V4 for _, address, _ in found)
        for (family, address, scope), host in found.items():  # noqa: B007 - the error names it
            listening = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(listening)
            _open(listening, address, port, scope, v6_only=v6_only or address != _ALL_V6)
            port = listening.getsockname()[1]
    except OSError as error:
        for listening in sockets:
            listening.close()
        reason = (error.strerror or str(error)).lower()
        kind = _Taken if error.errno == errno.EADDRINUSE else ListenError
        raise kind(f"Can't listen on {host} port {port}: {reason}.") from None
    return sockets


def listen_at(address: str) -> Sequence[socket.socket]:
    """The same for `host:port`, an IPv6 one in brackets; no socket where it is empty."""
    host, _, port = address.rpartition(":")
    return listen(host.strip("[]"), int(port)) if address else ()


def _addresses(host: str) -> list[Address]:
    if host in _ANY:
        host = _ALL_V6 if socket.has_dualstack_ipv6() else _ALL_V4
    infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [
        (info[0], str(info[4][0]), int(info[4][3]) if len(info[4]) > 3 else 0) for info in infos
    ]


def _open(listening: socket.socket, address: str, port: int, scope: int, *, v6_only: bool) -> None:
    listening.setblocking(False)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits it
    if listening.family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_only)
        listening.bind((address, port, 0, scope))
    else:
        listening.bind((address, port))
    listening.listen(BACKLOG)


def url(listening: socket.socket) -> str:
    """The address to open; of a Unix socket `unix:` and its path."""
    address = listening.getsockname()
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
