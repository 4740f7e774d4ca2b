"""Kinds of values that options take: each is checked at the start, in its one normal form."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from math import isnan
from typing import Any
from urllib.parse import urlsplit

import click

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_MOST_WORKERS = 64
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _Value(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A kind of value."""


class Number(_Value):
    """A number of some unit, from `least` to `most`."""

    def __init__(self, unit: str, kind: type[int] | type[float], least: int, most: int) -> None:
        self.name = unit
        self.kind = kind
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. `nan` is none: it passes every comparison."""
        try:
            number = self.kind(value)
        except ValueError:
            self.fail(f"{value!r} is not {self._range()}.", param, ctx)
        if isnan(number) or not self._least <= number <= self._most:
            self.fail(f"{value} is not {self._range()}.", param, ctx)
        return number

    def _range(self) -> str:
        whole = "a whole number" if self.kind is int else "a number"
        return f"{whole} from {self._least:,} to {self._most:,} ({self.name})"


class Workers(Number):
    """How many processes: a number, or `auto` for as many as this one may use cores."""

    def __init__(self) -> None:
        super().__init__("number|auto", int, 1, _MOST_WORKERS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        if str(value).strip().lower() == "auto":
            from edgechat.system import processors  # what it imports is Linux's

            return min(processors(), _MOST_WORKERS)
        return super().convert(value, param, ctx)


class Origin(_Value):
    """A site as a browser names it in `Origin` (RFC 6454, section 6.1)."""

    name = "origin"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Lower case, no default port, no slash at its end: `https://example.org`."""
        text = str(value).strip()
        if "*" in text:
            words = "a pattern would let in sites that you do not know: name each one"
            self.fail(f"{text!r} is not an origin: {words}, like https://example.org.", param, ctx)
        if text != "null" and (host := _normal_host_name(text)):
            self.fail(f"{text!r} is not an origin: write https://{host}.", param, ctx)
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            self.fail(f"{text!r} is not an origin, like https://example.org.", param, ctx)
        host = _normal_host(parts.hostname or "")
        if parts.scheme not in _DEFAULT_PORTS or host is None:
            self.fail(
                f"{text!r} is not an origin, like https://example.org.{_idn(text)}", param, ctx
            )
        number = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
        origin = f"{parts.scheme}://{host}{number}"
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
            self.fail(f"{text!r} is a page, and not an origin: write {origin}.", param, ctx)
        return origin


class HostName(_Value):
    """A name or an address of a host: no scheme, no port."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """In lower case, and without brackets."""
        text = str(value).strip()
        host = _normal_host(_without_brackets(text))
        if host is None:
            self.fail(f"{text!r} is not a host: {self._advice(text)}.{_idn(text)}", param, ctx)
        return _without_brackets(host)

    @staticmethod
    def _advice(text: str) -> str:
        if text in ("", "*"):
            return "write 0.0.0.0 for every IPv4 address of this machine, :: for every IPv6 one"
        with suppress(ValueError):
            inside = urlsplit(text if "//" in text else f"//{text}").hostname
            if inside and _normal_host(inside):
                return f"write {inside}"
        return "write a name or an address, like chat.example.org or 192.0.2.7"


class Address(_Value):
    """A host and a port to listen on; empty for none."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As in a URL: `127.0.0.1:9100`, `[::1]:9100`."""
        text = str(value).strip()
        if not text:
            return ""
        name, _, digits = text.rpartition(":")
        host = _normal_host(_without_brackets(name))
        is_bare_ipv6 = ":" in name and not name.startswith("[")
        is_port = (
            digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) < 65_536
        )
        if host is None or is_bare_ipv6 or not is_port:
            words = "write a host and a port, like 127.0.0.1:9100 or [::1]:9100"
            self.fail(f"{text!r} is not an address to listen on: {words}.", param, ctx)
        return f"{host}:{int(digits)}"


class Network(_Value):
    """An IP address, or a network of them."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Without brackets and host bits; v4-mapped IPv6 as IPv4, as peers are looked up."""
        text = str(value).strip()
        try:
            network = ip_network(_without_brackets(text), strict=False)
        except ValueError:
            words = "write an address or a network, like 192.0.2.7 or 10.0.0.0/8"
            self.fail(f"{text!r} is not an address: {words}.", param, ctx)
        first = network.network_address
        if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= 96:
            network = ip_network(f"{first.ipv4_mapped}/{network.prefixlen - 96}")
        is_one = network.prefixlen == network.max_prefixlen
        return str(network.network_address if is_one else network)


def _without_brackets(text: str) -> str:
    return text.removeprefix("[").removesuffix("]")


def _normal_host(text: str) -> str | None:
    """A host as it stands in a URL; None for what is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return _normal_host_name(text)
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def _normal_host_name(text: str) -> str | None:
    name = text.lower()
    # What ends in a number is read as an IPv4 address, so it has to be one.
    is_name = _HOST_NAME.fullmatch(name) and not name.rpartition(".")[2].isdigit()
    return name if is_name and len(name) <= 253 else None


def _idn(text: str) -> str:
    return "" if text.isascii() else " Write a name in its ASCII form, which begins with xn--."
