"""What one process has of a server's rooms: all, or its share where there are several."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edgechat.chat.names import RoomKey
from edgechat.rooms.limiter import Ledger


class Share(NamedTuple):
    """`has` says which rooms are this process's: without it all are.

    `ledger` knows what addresses spend in all processes; without it there is but this one.
    """

    has: Callable[[RoomKey], bool] | None = None
    ledger: Ledger | None = None


ALL = Share()
