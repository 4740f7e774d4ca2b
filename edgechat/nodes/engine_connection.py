"""One life of the link to an engine: requests go out in order, and replies come back in order.

RESP3, the protocol (https://valkey.io/topics/protocol/), is read and written by hiredis: a parser
without a socket. What is said on a channel comes on the same connection, as a push.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

import hiredis
import trio

from edgechat.nodes.engine_socket import Wire
from edgechat.nodes.errors import LinkDown

# Given the reply; or, as a value, `hiredis.ReplyError`, or `LinkDown`. Never waits.
Done = Callable[[Any], None]
Pushed = Callable[[bytes, bytes], None]  # a channel, and what was said there
Word = bytes | str | int
_pack: Callable[..., bytes] = hiredis.pack_command  # its own hints say less

_PING = 2.0  # seconds between two; one that is not answered until the next ends the connection
_NOTHING = object()


class EngineConnection:
    """Requests, replies and pushes over one wire."""

    def __init__(self, wire: Wire, pushed: Pushed, settled: Callable[[], None]) -> None:
        """`settled` is called after the replies and pushes of one read were passed on."""
        self._wire = wire
        self._pushed = pushed
        self._settled = settled
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._packed: list[bytes] = []
        self._waiting: deque[Done] = deque()
        self._ended = False
        self.ping = 0.0  # seconds that the last answer to one took
        self._scope = trio.CancelScope()

    def call(self, done: Done, *words: Word) -> None:
        """Ask, with the next `flush`; `done` is told the reply, or that it will not come."""
        if self._ended:
            done(LinkDown())
            return
        self._packed.append(_pack(words))
        self._waiting.append(done)

    def tell(self, *words: Word) -> None:
        """Ask for what has no reply but a push: to (un)subscribe. Goes with the next `flush`."""
        self._packed.append(_pack(words))

    def flush(self) -> None:
        """One write for all that was asked. Never waits."""
        if self._packed and not self._ended:
            self._wire.write(b"".join(self._packed))
        self._packed.clear()

    async def request(self, *words: Word) -> Any:
        """Ask, and wait for the reply. Raises `hiredis.ReplyError`, `LinkDown`."""
        replied, replies = trio.Event(), []

        def done(reply: Any) -> None:
            replies.append(reply)
            replied.set()

        self.call(done, *words)
        self.flush()
        await replied.wait()
        if isinstance(replies[0], Exception):
            raise replies[0]
        return replies[0]

    def cut(self) -> None:
        """End it: `run` returns."""
        self._scope.cancel()

    async def run(self) -> None:
        """Read, write, and see that the other side is there; until it ends, or is cut.

        Raises `OSError`, `hiredis.ProtocolError`.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._wire.write_out)
                    nursery.start_soon(self._ping)
                    await self._read()
        finally:
            self._end()

    async def _read(self) -> NoReturn:
        gets, push = self._reader.gets, hiredis.PushNotification
        while True:
            data = await self._wire.read()
            if not data:
                raise ConnectionResetError("the engine closed the connection")
            self._reader.feed(data)
            while (reply := gets()) is not _NOTHING:
                if type(reply) is push:
                    if reply[0] == b"message":
                        self._pushed(reply[1], reply[2])
                else:
                    self._waiting.popleft()(reply)
            self._settled()
            self.flush()

    async def _ping(self) -> NoReturn:
        answered, asked_at = True, 0.0

        def done(reply: Any) -> None:
            nonlocal answered
            answered = True
            self.ping = trio.current_time() - asked_at

        while answered:
            answered, asked_at = False, trio.current_time()
            self.call(done, "PING")
            self.flush()
            await trio.sleep(_PING)
            await trio.lowlevel.checkpoint()  # what came while this process stood still is read
        raise TimeoutError("the engine does not answer")

    def _end(self) -> None:
        """Whoever waits for a reply is told that it will not come."""
        self._ended = True
        self._wire.close()
        waiting, self._waiting = self._waiting, deque()
        for done in waiting:
            done(LinkDown())
        self._settled()
