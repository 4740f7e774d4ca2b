"""Which address a connection counts for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from edgechat.settings import ProxyHeader

# A parameter or none, and what ends it: RFC 7239, section 4. Blanks are taken around the marks, and
# a port or an IPv6 address without quotation marks, as some proxies write it. `*+` and `++` never
# give back what they took: no header takes more than one look at each of its characters.
_TOKEN = r"!#$%&'*+.^_`|~0-9A-Za-z-"
_VALUE = rf"""(?P<token>[][:{_TOKEN}]++)|"(?P<quoted>(?:[^"\\]|\\.)*+)\""""
_PARAMETER = re.compile(
    rf"[ \t]*+(?:(?P<name>[{_TOKEN}]++)=(?:{_VALUE}))?[ \t]*+(?P<end>[;,]|\Z)", re.DOTALL
)
_MOST_HOPS = 64


def normalise(text: str) -> str:
    """An IPv4 address as it is, v4-mapped IPv6 as v4, other IPv6 as its /64.

    Raises `ValueError` for what is no address.
    """
    address = _address(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


def is_loopback(text: str) -> bool:
    """Whether a peer's address is of this machine."""
    return _address(text).is_loopback


def is_on_loopback(address: Any) -> bool:
    """Whether `getsockname` says loopback: web pages can reach that, but not a Unix socket."""
    return isinstance(address, tuple) and is_loopback(address[0])


def is_trusted(text: str, proxies: Collection[str]) -> bool:
    """Whether an address is one of the trusted proxies (addresses or networks)."""
    if not proxies:
        return False
    try:
        address = _address(text)
    except ValueError:
        return False
    return any(_is_in(address, proxy) for proxy in proxies)


def counted_address(address: str, proxies: Collection[str]) -> str | None:
    """What a connection is limited by; None where it is not limited.

    A trusted proxy speaks for many, and this machine's own need no limit.
    """
    network = address.removesuffix("/64")
    if is_loopback(network) or is_trusted(network, proxies):
        return None
    return normalise(network)


def client_address(
    peer: str, header: ProxyHeader, values: Sequence[str], proxies: Collection[str]
) -> str:
    """The address that a connection counts for, normalised.

    It is the peer's; or, if the peer is a trusted proxy, the rightmost hop that is not one.
    `values` are those of `header`, each as often as it came and in order.
    """
    if not proxies or not is_trusted(peer, proxies):
        return normalise(peer)
    client = peer
    for hop in reversed(_hops(header, values)):
        client = _without_port(hop)
        if not is_trusted(client, proxies):
            break
    try:
        return normalise(client)
    except ValueError:
        return normalise(peer)


@lru_cache(1_000)  # a connection's is asked for again and again: 4 µs each
def _address(text: str) -> IPv4Address | IPv6Address:
    """Without a zone; what stands for an IPv4 address is one. Raises `ValueError`."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _hops(header: ProxyHeader, values: Sequence[str]) -> list[str]:
    """Whom each proxy spoke for, the nearest last."""
    whole = ",".join(values)
    if header == "Forwarded":
        return _forwarded(whole)
    return [hop.strip() for hop in whole.split(",")[-_MOST_HOPS:] if hop.strip()]


def _forwarded(text: str) -> list[str]:
    """The `for` of each element; what has none, or two, is one of nobody.

    The client may have begun the header with whatever it likes, a quotation mark without its
    fellow, say. So this is the longest end of it that is well-formed: what proxies added is. In a
    header that is well-formed as a whole, no comma within quotation marks begins such an end, as it
    would have an odd number of them.
    """
    start = len(text)
    for _ in range(_MOST_HOPS):
        start = text.rfind(",", 0, start)
        if start < 0:
            break
    while (found := _elements(text, start + 1)) is None:
        start = text.find(",", start + 1)
        if start < 0:
            return []
    return found


def _elements(text: str, at: int) -> list[str] | None:
    """Those from `at` on; None where they are malformed."""
    hops: list[str] = []
    names: list[str] = []
    spoken_for = ""
    while found := _PARAMETER.match(text, at):
        name, token, quoted, end = found.group("name", "token", "quoted", "end")
        if name is not None:
            names.append(name.lower())
            if names[-1] == "for":
                spoken_for = token or re.sub(r"\\(.)", r"\1", quoted or "", flags=re.DOTALL)
        if end != ";":
            if names:
                hops.append(spoken_for if names.count("for") == 1 else "")
            names, spoken_for = [], ""
        at = found.end()
        if not end:
            return hops
    return None


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_in(address: IPv4Address | IPv6Address, proxy: str) -> bool:
    network = ip_network(proxy, strict=False)
    return address.version == network.version and address in network
