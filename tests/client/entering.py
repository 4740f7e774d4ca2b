"""Joining a room that is served by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import trio

from edgechat.client import Event, Options, Room, Token, open_room

from .peer import Peer, Side, a_peer

# No pings where none are awaited, and no requests of HTTP.
OPTIONS = Options(random=lambda: 1.0, ping_interval=1e6, http_fallback=False)
URL = "http://h:8080/room/lobby"


def enter(
    peer: Peer, since: Token | None = None, **options: Any
) -> AbstractAsyncContextManager[Room]:
    return open_room(URL, "alice", since=since, dial=peer.dial, options=replace(OPTIONS, **options))


@asynccontextmanager
async def joined(
    *frames: str, head: int = 0, **options: Any
) -> AsyncIterator[tuple[Room, Side, Peer]]:
    """A room that was joined, and the server's side of it."""
    async with a_peer() as peer, trio.open_nursery() as nursery:
        sides: list[Side] = []

        async def accept() -> None:
            sides.append(await peer.accept())
            await sides[0].join(*frames, head=head)

        nursery.start_soon(accept)
        async with enter(peer, **options) as room:
            yield room, sides[0], peer


async def take(room: Room, count: int) -> list[Event]:
    return [await anext(room) for _ in range(count)]
