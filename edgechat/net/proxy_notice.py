"""Says once that a proxy is not trusted: then all its clients share one address's limits."""

from __future__ import annotations

import logging

from edgechat.net.caller import Caller
from edgechat.net.request_head import Head

log = logging.getLogger(__name__)

_HEADERS = ("X-Forwarded-For", "Forwarded")


class ProxyNotice:
    """Looks at heads until it found one that a proxy wrote which nobody trusts."""

    def __init__(self) -> None:
        self._is_said = False

    def look(self, caller: Caller, head: Head) -> None:
        """Log a warning if `head` is the first that names a client, and must not."""
        if self._is_said or caller.is_passed_on:
            return
        for header in _HEADERS:
            if head.values(header):
                self._is_said = True
                log.warning(
                    "%s sends %s, and is not a trusted proxy: the header is ignored, and all who "
                    "come from there share one address's limits. If it is your proxy: "
                    "--trusted-proxy %s",
                    caller.peer,
                    header,
                    caller.peer,
                )
                return
