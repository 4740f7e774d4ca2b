"""Ports for programs that have to be told one."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from random import randrange

_CHOSEN = Path("/proc/sys/net/ipv4/ip_local_port_range")  # by the system, for whoever connects
_FIRST = 11_000  # browsers go to each from here on


def free_ports(count: int = 1) -> int:
    """The first of so many in a row that nobody listens on.

    None that the system chooses for others: it would have been given away by the time that the
    program asks for it.
    """
    end = int(_CHOSEN.read_text().split()[0]) if _CHOSEN.exists() else 32_768
    for _ in range(1_000):
        first = randrange(_FIRST, max(end, _FIRST + 1_000) - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    taken = stack.enter_context(socket.socket())
                    taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no port is free")
