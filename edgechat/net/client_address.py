"""Which address a connection counts for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from edgechat.settings import ProxyHeader

_FORWARDED_FOR = re.compile(r'(?:^|[;\s])for=("?)([^";,]*)\1', re.IGNORECASE)


def normalise(text: str) -> str:
    """An IPv4 address as it is, v4-mapped IPv6 as v4, other IPv6 as its /64.

    Raises `ValueError` for what is no address.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def is_loopback(text: str) -> bool:
    """Whether a peer's address is of this machine."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def is_trusted(text: str, proxies: Collection[str]) -> bool:
    """Whether an address is one of the trusted proxies (addresses or networks)."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(_is_in(address, proxy) for proxy in proxies)


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


def _hops(header: ProxyHeader, values: Sequence[str]) -> list[str]:
    """Whom each proxy spoke for, the nearest last."""
    elements = ",".join(values).split(",")
    if header == "Forwarded":  # RFC 7239, section 4
        return [hop[2] for element in elements if (hop := _FORWARDED_FOR.search(element))]
    return [hop.strip() for hop in elements if hop.strip()]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_in(address: IPv4Address | IPv6Address, proxy: str) -> bool:
    network = ip_network(proxy, strict=False)
    return address.version == network.version and address in network
