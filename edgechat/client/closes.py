"""How a connection ended, and whether to come back."""

from __future__ import annotations

from dataclasses import dataclass

from edgechat.chat.errors import Return, after_close

ABNORMAL = 1006  # no close frame came (RFC 6455, section 7.1.5); never on the wire
LOST = "the connection was lost"


_STATUSES = {
    408: Return.BACK_OFF,  # request timeout
    425: Return.BACK_OFF,  # too early
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
            return after_close(self.code)
        if 300 <= self.status < 500:  # a redirection is not followed: the address is wrong
            return _STATUSES.get(self.status, Return.NEVER)
        return Return.BACK_OFF
