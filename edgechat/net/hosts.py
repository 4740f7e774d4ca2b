"""The names that a server goes by: no others are believed in a `Host` header.

A web page whose own name is pointed at 127.0.0.1 is, to a browser, the same site as whatever runs
there: it may read and write, and no `Origin` gives it away (DNS rebinding). What does is the name.
Addresses can't be pointed elsewhere; and `localhost` never leaves the machine (RFC 6761, 6.3).
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from edgechat.chat.origin import parse_origin
from edgechat.net.refused import BAD_HOST, OTHER_HOST, Refused
from edgechat.net.request_head import Head
from edgechat.settings import Settings

# A name or an address, and a port: RFC 9110, section 7.2. What else may stand there (`name@other`,
# say) one program takes for this host, and another one for that.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]*)(?::[0-9]*)?", re.ASCII)
_LOCAL = ("localhost", "localhost.localdomain")


class Hosts:
    """The names of one server."""

    def __init__(self, settings: Settings) -> None:
        self._are_named = bool(settings.public_hosts)
        self._names = {_bare(name) for name in settings.public_hosts}
        self._names |= {_bare(parse_origin(text).host) for text in settings.allowed_origins}
        self._is_ours = lru_cache(100)(self._find_ours)  # almost all ask for the same one: 5 µs

    def check(self, head: Head, *, loopback: bool) -> None:
        """Raise `Refused` for a request to a name that is not ours.

        `loopback`: it came to a socket that listens on loopback, and was not passed on by a trusted
        proxy. A request of HTTP/1.0 passes without a `Host`: no browser sends one.
        """
        hosts = head.values("Host")
        named = [*hosts, head.authority] if head.authority is not None else hosts
        is_one = len(hosts) == 1 or (head.is_old and not hosts)
        if not is_one or not all(map(_HOST.fullmatch, named)):
            raise Refused(BAD_HOST)  # RFC 9112, section 3.2
        if (loopback or self._are_named) and not all(map(self._is_ours, named)):
            raise Refused(OTHER_HOST)

    def _find_ours(self, host: str) -> bool:
        name = _name_in(f"//{host}")
        if name in _LOCAL or name.endswith(".localhost") or (name and name in self._names):
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


def _name_in(url: str) -> str:
    """The host in an address, without its port; empty where there is none."""
    try:
        return _bare(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")
