"""A webhook's target without a network: it checks signatures, and fails as it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import h11
import trio
from trio.testing import memory_stream_pair

from edgechat.webhooks.hook import Target
from edgechat.webhooks.signing import sign

SECRET = bytes(32)
# Answers a request whose number, from 0, it is given: a status, or bytes in the place of an answer.
Script = Callable[[int], int | bytes]


class FakeTarget:
    """Takes connections, also at once, each with many requests."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.script: Script = lambda number: 204
        self.secret = SECRET
        self.is_down = False
        self.is_silent = False
        self.dialled = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []  # the webhook-id, and the body
        self.taken: list[str] = []  # the ids of those that were answered with 2xx
        self.targets: set[str] = set()  # the paths that were asked for
        self.at: list[float] = []  # when each request came
        self._nursery = nursery

    async def dial(self, target: Target) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        self.dialled += 1
        if self.is_down:
            raise OSError("Connection refused")
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.serve, ours)
        return theirs

    def lines(self) -> list[dict[str, Any]]:
        """The lines that it took, in their order."""
        bodies = dict(self.requests)
        return [bodies[id]["data"] for id in self.taken]

    async def serve(self, stream: trio.abc.Stream) -> None:
        http = h11.Connection(h11.SERVER)
        try:
            while http.our_state is h11.IDLE:
                if not await self._serve_one(http, stream):
                    return
                if http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                    http.start_next_cycle()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(stream)

    async def _serve_one(self, http: h11.Connection, stream: trio.abc.Stream) -> bool:
        headers: dict[str, str] = {}
        body = b""
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(bytes(await stream.receive_some()))
            elif isinstance(event, h11.Request):
                assert event.method == b"POST"
                self.targets.add(event.target.decode())
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                return False  # the other side is gone
        stamp = int(headers["webhook-timestamp"])
        id = headers["webhook-id"]
        assert headers["webhook-signature"] == sign(self.secret, id, stamp, body)
        assert headers["content-type"] == "application/json"
        answer = self.script(len(self.requests))
        self.requests.append((id, json.loads(body)))
        self.at.append(trio.current_time())
        if self.is_silent:
            await trio.sleep_forever()
        if isinstance(answer, bytes):
            await stream.send_all(answer)
            return False
        if 200 <= answer < 300:
            self.taken.append(id)
        headers_out = [("Content-Length", "0"), *([("Location", "/")] if answer == 302 else [])]
        response = h11.Response(status_code=answer, headers=headers_out)
        data = http.send(response) or b""
        await stream.send_all(data + (http.send(h11.EndOfMessage()) or b""))
        return True
