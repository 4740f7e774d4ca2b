"""What a user of the client may choose."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Timeouts are in seconds. Reasons stand beside the numbers."""

    # To connect.
    connect_timeout: float = 10.0  # TCP, TLS and the handshake together
    join_within: float = 10.0  # the first join is tried for this long, then once more; 0: once
    close_timeout: float = 2.0  # for the server's half of the closing handshake
    ssl_context: ssl.SSLContext | None = None  # None: the system's own roots
    http_fallback: bool = True  # events and posts, where no WebSocket can be opened
    websocket_retry: float = 60.0  # after which a WebSocket is tried again; then twice as long …
    websocket_retry_cap: float = 300.0

    # To notice a dead connection: below the 30 s after which the server gives up on us.
    ping_interval: float = 15.0  # of silence, then a ping
    ping_timeout: float = 10.0  # more of it, or a send that takes as long: dropped and resumed

    # To come back: full jitter, `random() * min(cap, base * 2**n)`.
    backoff_base: float = 1.0
    backoff_cap: float = 30.0
    steady_after: float = 10.0  # a connection that lived this long resets the back-off
    random: Callable[[], float] = random.random

    # To buffer and to say.
    buffer: int = 1_000  # events; what a join brings (10,000 lines at most) may come on top
    window: int = 1  # messages in flight; more gives up the order of those refused for a while
    max_frame_chars: int = 1_048_576  # of one frame from the server
