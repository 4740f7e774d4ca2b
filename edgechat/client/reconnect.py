"""How a connection ended, whether to reconnect, and when.

Who may reconnect after which close is said in `chat/errors.py`. The waits are full-jitter
exponential back-off, so that the clients which a restart cut off all at once come back spread
out: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ has measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from edgechat.chat.errors import Return, after_close
from edgechat.client.failures import Expelled, Rejected, RoomError, Unreachable
from edgechat.client.room_options import Options
from edgechat.client.wire import ServerFrame

ABNORMAL = 1006  # no close frame came (RFC 6455, section 7.1.5); never on the wire
LOST = "the connection was lost"
FULL_AFTER = 3  # a full server counts as so many failures: up to 8 s with a base of 1 s
LONGEST_WAIT = 300.0  # seconds of a Retry-After that are honoured

# EdgeChat's own answers which would be the same next time. Any other, whatever its status, may be
# a middleman's: a gateway's 404 while the chat is replaced, the 401 or 302 of a hotel's portal.
FINAL_ERRORS = ("not_found", "origin_refused", "bad_request")
PASSING_ERRORS = ("rate_limited",)  # of one allowance; when it is over is in the Retry-After


@dataclass(frozen=True, slots=True)
class Ended:
    """How a connection ended.

    `status` is there if the handshake was answered with HTTP; then `error` is the code in that
    answer, if it is EdgeChat's own. `retry_after`, in seconds, is the server's wish. It `is_late`
    if it was given up for its silence.
    """

    code: int = ABNORMAL
    text: str = LOST
    status: int | None = None
    error: str = ""
    retry_after: float = 0.0
    is_late: bool = False

    @property
    def then(self) -> Return:
        """Whether to reconnect. A code or status that is in no table may be tried again."""
        if self.status is None:
            return after_close(self.code)
        if self.status == 429 and self.error not in PASSING_ERRORS:  # too many connections
            return Return.LATER
        return Return.NEVER if self.error in FINAL_ERRORS else Return.BACK_OFF

    @property
    def words(self) -> str:
        """The text, for a person, with the status that it came with."""
        return self.text if self.status is None else f"HTTP {self.status}: {self.text}"


@dataclass(slots=True)
class Backoff:
    """Counts failures; the n-th (from 0) waits `random() * min(cap, base * 2**n)` seconds."""

    base: float
    cap: float
    random: Callable[[], float]
    failures: int = 0

    def delay(self, at_least: int = 0) -> float:
        """The seconds to wait now. Counts one more failure, or as if there had been `at_least`."""
        n = max(self.failures, at_least)
        self.failures = n + 1
        longest: float = min(self.cap, self.base * 2 ** min(n, 30))  # 2**30 s is beyond any cap
        return self.random() * longest

    def reset(self) -> None:
        """A success: the next failure is the first."""
        self.failures = 0


class Reconnect:
    """Decides from how the connections went so far. `now` is in seconds of any clock."""

    def __init__(self, options: Options, now: float) -> None:
        self._backoff = Backoff(options.backoff_base, options.backoff_cap, options.random)
        self._steady_after = options.steady_after
        self._join_until = now + options.join_within
        self._joined_at = inf
        self._ever_joined = False

    def joined(self, now: float) -> None:
        """A join was completed."""
        self._ever_joined = True
        self._joined_at = now

    def wait(self, ended: Ended, last_error: ServerFrame | None, now: float) -> float:
        """The seconds to wait before the next attempt. Raises `RoomError` if none may be made.

        `last_error` is the error frame that this connection brought last, if one.
        """
        if not ended.then.is_allowed:
            raise _final_error(ended, last_error)
        if now >= self._joined_at + self._steady_after:
            self._backoff.reset()
        self._joined_at = inf
        seconds = self._backoff.delay(FULL_AFTER if ended.then is Return.LATER else 0)
        seconds = max(seconds, min(ended.retry_after, LONGEST_WAIT))
        if self._ever_joined:
            return seconds
        if now >= self._join_until:
            raise Unreachable(ended.words)
        return min(seconds, self._join_until - now)  # the last attempt is at the very end


def _final_error(ended: Ended, last_error: ServerFrame | None) -> RoomError:
    if ended.status is not None:
        return Rejected(ended.status, ended.text)
    if last_error is None:
        return Expelled(ended.code, ended.text)
    return Expelled(ended.code, last_error.error or "", last_error.code)
