"""All of HTTP: what is posted to rooms is served here, all else by the app behind Hypercorn."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds
from edgechat.http.api import Rooms
from edgechat.http.app import make_app
from edgechat.http.assets import Assets
from edgechat.http.callers import Callers
from edgechat.http.followers import OpenStream
from edgechat.http.hypercorn_bridge import HypercornBridge
from edgechat.http.post_server import PostServer
from edgechat.http.posts import Posts
from edgechat.http.received import Caller, Head
from edgechat.settings import Settings

_POST = re.compile(r"/api/room/([^/]+)/(messages|slack)")


def find_post(target: str) -> tuple[str, str] | None:
    """What stands in the place of a room's name, and `messages` or `slack`; None elsewhere."""
    path = target.partition("?")[0]
    if not path.startswith("/"):  # the absolute form: RFC 9112, section 3.2.2
        with suppress(ValueError):
            path = urlsplit(path).path
    found = _POST.fullmatch(unquote(path))
    return None if found is None else (found[1], found[2])


class HttpSide:
    """Serves requests, once it is started."""

    def __init__(
        self,
        settings: Settings,
        assets: Assets,
        rooms: Rooms,
        ids: PrivateIds,
        ready: Callable[[], Awaitable[bool]],
        is_open: Callable[[], bool],
        address_of: Callable[[str, Sequence[str]], str],
        allowance_of: Callable[[str], Spendable],
        open_stream: OpenStream,
    ) -> None:
        """`ready` says whether the server accepts and stores, `is_open` only whether it is not
        stopping.

        `address_of` is given a peer and what the proxy's header says, and returns the address that
        counts; `allowance_of` gives an address's allowance; `open_stream` a connection's outbox.
        """
        callers = Callers(settings, address_of, allowance_of)
        self._app = make_app(settings, assets, rooms, ids, ready, is_open, callers, open_stream)
        self._behind = HypercornBridge(settings)
        self._posts = PostServer(settings, Posts(settings, rooms, ids, is_open, callers), is_open)

    @property
    def is_answering(self) -> bool:
        """Whether a request is under way that is to have an end."""
        return self._posts.under_way > 0 or not all(one.is_taken for one in self._behind.open)

    async def start(self, nursery: trio.Nursery) -> None:
        """Start what runs beside the requests in `nursery`."""
        await self._behind.start(self._app, nursery)

    async def serve(self, caller: Caller, head: Head) -> bytes | None:
        """Answer one request. Returns what came behind it, if the connection may be asked again.

        Whoever calls this closes the connection.
        """
        if (address := find_post(head.target)) is not None:
            return await self._posts.serve(caller, head, *address)
        text, connection = head.without_offer(), caller.connection
        await self._behind.serve(connection, text, head.rest, has_body=head.has_body)
        return None

    def abort(self) -> None:
        """Close what Hypercorn holds open: cancelling is not enough there, it shields its sends."""
        self._behind.abort()
