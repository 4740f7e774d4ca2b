"""A relay that passes bytes on and cuts each connection, somewhere."""

from __future__ import annotations

import random
import socket
import struct

import trio

LONGEST_B = 200_000  # bytes, both ways together, after which a connection is cut at the latest
LONGEST_S = 2.0  # the same for one that is quiet
PIECE = 4_096
RESET = struct.pack("ii", 1, 0)  # linger for no time: close() sends RST (socket(7), SO_LINGER)
ENDINGS = ("reset", "closed", "half-closed")


class Relay:
    """Listens on `port`, passes on to `target`. `cuts` counts the connections that it has cut."""

    def __init__(self, target: int, chance: random.Random, wanted: int) -> None:
        """It cuts `wanted` connections; those that come after leaves alone."""
        self.cuts = 0
        self._target = target
        self._chance = chance
        self._wanted = wanted
        self.done = trio.Event()

    async def serve(self, *, task_status: trio.TaskStatus[int]) -> None:
        """Until cancelled. Tells the port."""
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            task_status.started(listeners[0].socket.getsockname()[1])
            await trio.serve_listeners(self._carry, listeners, handler_nursery=nursery)

    async def _carry(self, client: trio.SocketStream) -> None:
        try:
            server = await trio.open_tcp_stream("127.0.0.1", self._target)
        except OSError:
            await client.aclose()
            return
        async with client, server:
            if self.cuts >= self._wanted:
                await self._carry_whole(client, server)
                return
            budget = Budget(self._chance)
            with trio.move_on_after(self._chance.uniform(0.0, LONGEST_S)):
                await self._carry_until_spent(client, server, budget)
            await self._cut(client, server)

    async def _carry_whole(self, client: trio.SocketStream, server: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            for source, sink in ((client, server), (server, client)):
                nursery.start_soon(pump, source, sink, None, nursery.cancel_scope)

    async def _carry_until_spent(
        self, client: trio.SocketStream, server: trio.SocketStream, budget: Budget
    ) -> None:
        async with trio.open_nursery() as nursery:
            for source, sink in ((client, server), (server, client)):
                nursery.start_soon(pump, source, sink, budget, nursery.cancel_scope)

    async def _cut(self, client: trio.SocketStream, server: trio.SocketStream) -> None:
        """Each end hears of it in its own way, or of one direction first."""
        for stream in (client, server):
            how = self._chance.choice(ENDINGS)
            if how == "reset":
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if how == "half-closed":
                with trio.move_on_after(0.05):
                    try:
                        await stream.send_eof()
                        await stream.receive_some(PIECE)
                    except (trio.BrokenResourceError, trio.BusyResourceError):
                        pass
        self.cuts += 1
        if self.cuts >= self._wanted:
            self.done.set()


class Budget:
    """The bytes that may still pass: the cut may be within a frame, a head or a UTF-8 character."""

    def __init__(self, chance: random.Random) -> None:
        # One in five is short, so that handshakes and resumes are cut as well.
        power = chance.uniform(0.0 if chance.random() < 0.2 else 0.75, 1.0)
        self.left = int(LONGEST_B**power)
        self._chance = chance

    def piece(self) -> int:
        """How much to read at once."""
        return self._chance.randint(1, PIECE)


async def pump(
    source: trio.SocketStream,
    sink: trio.SocketStream,
    budget: Budget | None,
    scope: trio.CancelScope,
) -> None:
    """Pass on until either ends or the budget is spent; then end both ways."""
    try:
        while data := await source.receive_some(budget.piece() if budget else PIECE):
            if budget is not None:
                data = data[: budget.left]
                budget.left -= len(data)
            await sink.send_all(data)
            if budget is not None and budget.left <= 0:
                break
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    scope.cancel()
