"""How a connection ends, and who may come back: the close codes of `docs/protocol.md`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

ABNORMAL = 1006  # no close frame came (RFC 6455, section 7.1.5); never on the wire
LOST = "the connection was lost"


class Return(Enum):
    """Whether to reconnect."""

    AGAIN = auto()  # backing off
    LATER = auto()  # backing off from further out: the server is full
    NEVER = auto()


_CLOSES = {
    1002: Return.NEVER,  # we did not speak WebSocket
    1007: Return.NEVER,  # not UTF-8
    1008: Return.NEVER,  # protocol abuse, origin refused
    1009: Return.NEVER,  # frame or name too large: the same would come again
    1011: Return.AGAIN,  # a defect in the server
    1012: Return.AGAIN,  # restart
    1013: Return.LATER,  # full
    4008: Return.AGAIN,  # slow: we did not read
    4408: Return.AGAIN,  # no answer to heartbeats
}
_STATUSES = {
    408: Return.AGAIN,  # request timeout
    425: Return.AGAIN,  # too early
    429: Return.LATER,  # too many connections of this address
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a connection ended. `status` is there if the handshake was answered with HTTP.

    `retry_after`, in seconds, is the server's wish.
    """

    code: int = ABNORMAL
    text: str = LOST
    status: int | None = None
    retry_after: float = 0.0

    @property
    def then(self) -> Return:
        """Whether to reconnect. A code or status that is in no table may be tried again."""
        if self.status is None:
            return _CLOSES.get(self.code, Return.AGAIN)
        if 300 <= self.status < 500:  # a redirection is not followed: the address is wrong
            return _STATUSES.get(self.status, Return.NEVER)
        return Return.AGAIN
