"""Starts the HTTP side. Importing it is half of a start, and WebSockets do not wait for that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from edgechat import system
from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.http.assets import load_assets
from edgechat.net.client_address import client_address
from edgechat.net.event_stream import open_stream
from edgechat.rooms.registry import Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

if TYPE_CHECKING:
    from edgechat.http.http_side import HttpSide


async def start_http(
    nursery: trio.Nursery,
    settings: Settings,
    rooms: Registry[RoomKey, Room],
    ids: PrivateIds,
    ready: Callable[[], Awaitable[bool]],
    is_open: Callable[[], bool],
    allowance_of: Callable[[str], Spendable],
) -> HttpSide:
    """Import and start what serves HTTP; its lifespan runs in `nursery`.

    `http.http_side.HttpSide` says what it is given.
    """

    def address_of(peer: str, values: Sequence[str]) -> str:
        return client_address(peer, settings.proxy_header, values, settings.trusted_proxies)

    side = await system.run_in_thread(_import_http)
    assets = load_assets(settings.frame_ancestors)
    http = side(settings, assets, rooms, ids, ready, is_open, address_of, allowance_of, open_stream)
    await http.start(nursery)
    return http


def with_web_version(settings: Settings) -> Settings:
    """These settings, with the version of the page's files: joins are told it."""
    return replace(settings, web_version=load_assets(settings.frame_ancestors).version)


def _import_http() -> type[HttpSide]:
    """What the HTTP side is made of, with Quart and Hypercorn."""
    from edgechat.http.http_side import HttpSide

    return HttpSide
