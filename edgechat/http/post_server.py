"""Serves what is posted to rooms, on connections that the door has let in.

A message by HTTP passes neither Hypercorn nor Quart, as both together take ten times as long as all
that is done with it. So its connection may be kept for the next request: its body's end is known by
our own reading, and the door reads the next head as it read this one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache

import trio

from edgechat import system
from edgechat.http.answers import Answer
from edgechat.http.asked import Asked
from edgechat.http.posts import Posts
from edgechat.http.query import Query
from edgechat.http.received import Caller, Head
from edgechat.http.request_body import RequestBody
from edgechat.settings import Settings


class PostServer:
    """Answers requests, and says whether their connections go on."""

    def __init__(self, settings: Settings, posts: Posts, ready: Callable[[], bool]) -> None:
        """`ready` says whether the server is not stopping."""
        self.under_way = 0  # requests that are not answered yet
        self._settings = settings
        self._posts = posts
        self._ready = ready

    async def serve(self, caller: Caller, head: Head, room: str, what: str) -> bytes | None:
        """Answer one request; `room` and `what` stand in its address.

        Returns what came behind it, if the connection may be asked again.

        Whoever calls this closes it. Raises `OSError` where the client is gone.
        """
        body = RequestBody(caller.connection, head, self._settings)
        query = Query(head.target.partition("?")[2].encode("latin-1"))
        asked = Asked(head.method.decode(), query, head.values, caller.peer)
        self.under_way += 1
        try:
            answer = await self._posts.answer(asked, room, what, body.read)
            goes_on = caller.may_go_on and body.behind is not None and self._ready()
            goes_on = goes_on and _may_last(head)
            data = self._whole(answer, asked.method, goes_on=goes_on)
            if not await self._send(caller.connection, data):
                return None
        finally:
            self.under_way -= 1
        return body.behind if goes_on else None

    def _whole(self, answer: Answer, method: str, *, goes_on: bool) -> bytes:
        """The bytes of an answer."""
        status, type, body, headers = answer
        lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
        if type:
            lines += [f"Content-Type: {type}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Date: {_date(system.now_ms() // 1_000)}")
        if goes_on:
            lines += ["Connection: keep-alive", f"Keep-Alive: timeout={self._settings.keep_alive}"]
        else:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head if method == "HEAD" else head + body

    async def _send(self, connection: socket.socket, data: bytes) -> bool:
        """Send all; False where the client does not read for too long. Raises `OSError`."""
        while True:
            with suppress(BlockingIOError):
                data = data[connection.send(data) :]
                if not data:
                    return True
            with trio.move_on_after(self._settings.stall_timeout) as patience:
                await system.wait_writable(connection)
            if patience.cancelled_caught:
                return False


@lru_cache(1)
def _date(seconds: int) -> str:
    """A moment as HTTP writes it: for all answers of that second."""
    return formatdate(seconds, usegmt=True)


def _may_last(head: Head) -> bool:
    """Whether the client may ask again on its connection (RFC 9112, section 9.3)."""
    options = ",".join(head.values("Connection")).lower().split(",")
    return not head.is_old and "close" not in [option.strip() for option in options]
