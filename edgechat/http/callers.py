"""Who sends a request: the address that it counts for, and what that may say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.errors import Refusal
from edgechat.http.asked import Asked
from edgechat.settings import Settings


class Callers:
    """Addresses count the same for a request as for a WebSocket."""

    def __init__(
        self,
        settings: Settings,
        address_of: Callable[[str, Sequence[str]], str],
        allowance_of: Callable[[str], Spendable],
    ) -> None:
        self._header = settings.proxy_header
        self._address_of = address_of
        self._allowance_of = allowance_of

    def address(self, asked: Asked) -> str:
        """The address that a request counts for."""
        return self._address_of(asked.peer, asked.values(self._header))

    def allowance(self, asked: Asked) -> Spendable:
        """What that address may still say."""
        return self._allowance_of(self.address(asked))

    def look(self, asked: Asked, times: int = 1) -> None:
        """Pay for looks into a history. Raises `Refusal` (`rate_limited`)."""
        allowance, now = self.allowance(asked), trio.current_time()
        if wait := allowance.read(now):
            text = f"You are reading too fast. Wait {max(1, round(wait))} s and ask again."
            raise Refusal("rate_limited", text, retry_after_ms=max(1, round(wait * 1000)))
        for _ in range(times - 1):
            allowance.reserve_read(now)
