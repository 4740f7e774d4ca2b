"""Whether to come back after a connection ended, and when."""

from __future__ import annotations

from math import inf

from edgechat.chat.errors import Return
from edgechat.client.backoff import Backoff
from edgechat.client.closes import Ended
from edgechat.client.errors import Expelled, Rejected, RoomError, Unreachable
from edgechat.client.frames import Frame
from edgechat.client.options import Options

FULL_AFTER = 3  # a full server counts as so many failures: up to 8 s with a base of 1 s
LONGEST_WAIT = 300.0  # seconds of a Retry-After that are honoured


class Comeback:
    """Remembers how well it went so far. `now` is in seconds of any clock."""

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

    def wait(self, ended: Ended, last_error: Frame | None, now: float) -> float:
        """The seconds to wait before the next attempt. Raises `RoomError` if none may be made.

        `last_error` is the error frame that this connection brought last, if one.
        """
        if not ended.then.is_allowed:
            raise _farewell(ended, last_error)
        if now >= self._joined_at + self._steady_after:
            self._backoff.reset()
        self._joined_at = inf
        seconds = self._backoff.delay(FULL_AFTER if ended.then is Return.LATER else 0)
        seconds = max(seconds, min(ended.retry_after, LONGEST_WAIT))
        if not self._ever_joined and now + seconds > self._join_until:
            raise Unreachable(ended.text)
        return seconds


def _farewell(ended: Ended, last_error: Frame | None) -> RoomError:
    if ended.status is not None:
        return Rejected(ended.status, ended.text)
    if last_error is None:
        return Expelled(ended.code, ended.text)
    return Expelled(ended.code, last_error.error or "", last_error.code)
