"""Whether a request may go on, and for whom it counts."""

from __future__ import annotations

import trio

from edgechat.net.caller import Caller
from edgechat.net.client_address import client_address, counted_address
from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.hosts import Hosts
from edgechat.net.proxy_notice import ProxyNotice
from edgechat.net.request_head import Head
from edgechat.settings import Settings


class Admission:
    """For all requests of one door."""

    def __init__(self, settings: Settings, limits: ConnectionLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._hosts = Hosts(settings)
        self._notice = ProxyNotice()

    def client(self, peer: str, head: Head) -> str:
        """The address of whoever sends a request, by a trusted proxy's word or its own."""
        header = self._settings.proxy_header
        return client_address(peer, header, head.values(header), self._settings.trusted_proxies)

    def check(self, caller: Caller, head: Head) -> None:
        """Let a request go on, and count it for whom it is. Raises `Refused`."""
        self._hosts.check(head, loopback=caller.loopback and not caller.is_passed_on)
        if caller.is_passed_on:
            self._claim(caller, head)
        if caller.counted is not None and head.is_for_page:
            caller.for_page = self._limits.move_to_page(caller.counted, trio.current_time())
        self._notice.look(caller, head)

    def count_again(self, caller: Caller) -> None:
        """The next request counts like a connection of its own. Raises `Refused`.

        Else what is meant against floods of connections could be had on one. A proxy may ask for
        somebody else.
        """
        counted, caller.counted = caller.counted, None
        self._limits.release(counted, page=caller.for_page)
        caller.for_page = False
        if counted is not None and not caller.is_passed_on:
            self._limits.claim(counted, trio.current_time())
            caller.counted = counted

    def _claim(self, caller: Caller, head: Head) -> None:
        """Only now it is known for whom a proxy speaks. Raises `Refused`."""
        client = self.client(caller.peer, head)
        counted = counted_address(client, self._settings.trusted_proxies)
        if counted is not None:
            self._limits.claim(counted, trio.current_time())
            caller.counted = counted
