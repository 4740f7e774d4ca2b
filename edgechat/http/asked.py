"""A request without its body, as the API reads it, whoever has received it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from quart import request

from edgechat.http.query import Query

_UNIX_PEER = "127.0.0.1"  # who connects to a Unix socket counts as this: there is no address


class Asked(NamedTuple):
    """What is asked. `values` gives those of a header, each as often as it came and in order."""

    method: str
    query: Query
    values: Callable[[str], Sequence[str]]
    peer: str  # the address of the other end


def asked_of_quart() -> Asked:
    """The request that Quart is answering."""
    client = request.scope["client"]  # `remote_addr` may be a header of that name
    peer = client[0] if client else _UNIX_PEER
    return Asked(request.method, Query(request.query_string), request.headers.getlist, peer)
