"""Tells a service manager how the server is: sd_notify(3), systemd's protocol.

It is a datagram to the socket that the manager named; without one nothing is told.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

import trio

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """Whoever started this process and waits for word of it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """What the environment says of it."""
        path, microseconds, pid = (environment.get(name, "") for name in _VARIABLES)
        self._address = f"\0{path[1:]}" if path.startswith("@") else path  # abstract: unix(7)
        is_ours = pid in ("", str(os.getpid()))
        seconds = int(microseconds) / 1e6 if microseconds.isdecimal() and is_ours else 0.0
        # Half of the time after which it ends a process that said nothing: sd_watchdog_enabled(3).
        self._interval = seconds / 2

    def tell(self, *states: str) -> None:
        """Say something, like `READY=1`. Never waits, never raises."""
        if self._address.startswith(("/", "\0")):
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
                told.setblocking(False)
                told.sendto("\n".join(states).encode(), self._address)

    async def keep_alive(self) -> None:
        """Say again and again that the event loop runs, for ever; nothing where none is asked."""
        while self._interval > 0:
            self.tell("WATCHDOG=1")
            await trio.sleep(self._interval)
