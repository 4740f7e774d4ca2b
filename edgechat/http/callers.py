"""Who sends a request: the address that it counts for, and what that may say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio
from quart import request

from edgechat.chat.allowance import Spendable
from edgechat.chat.errors import Refusal
from edgechat.settings import Settings

_UNIX_PEER = "127.0.0.1"  # who connects to a Unix socket counts as this: there is no address


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

    def address(self) -> str:
        """The address that this request counts for."""
        client = request.scope["client"]  # `remote_addr` may be a header of that name
        peer = client[0] if client else _UNIX_PEER
        return self._address_of(peer, request.headers.getlist(self._header))

    def allowance(self) -> Spendable:
        """What that address may still say."""
        return self._allowance_of(self.address())

    def look(self, times: int = 1) -> None:
        """Pay for looks into a history. Raises `Refusal` (`rate_limited`)."""
        allowance, now = self.allowance(), trio.current_time()
        if wait := allowance.read(now):
            text = f"You are reading too fast. Wait {max(1, round(wait))} s and ask again."
            raise Refusal("rate_limited", text, retry_after_ms=max(1, round(wait * 1000)))
        for _ in range(times - 1):
            allowance.reserve_read(now)
