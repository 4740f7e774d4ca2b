"""Who is at the other end of a connection."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(slots=True)
class Caller:
    """A connection, where it came from, and whom it counts for."""

    connection: socket.socket
    peer: str
    loopback: bool  # it came to a socket that listens on loopback
    is_passed_on: bool  # by a trusted proxy, for somebody who is named in its request
    counted: str | None = None  # the address it was counted for; None where it is exempt
    for_page: bool = False  # it was counted apart, as it asks for a file of the page
    may_go_on: bool = False  # its connection may have a next request
    is_elsewhere: bool = False  # it was passed on to another process, which serves it
