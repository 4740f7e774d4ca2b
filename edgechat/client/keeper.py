"""Keeps a session connected: performs what `session.py` decides.

Tasks: `run` dials, and comes back after a cut. While a connection lives, one task reads from it
and one writes to it; whichever ends first ends the other. Who changes the session in a way that
concerns one of them rings its bell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf

import trio

from edgechat.client.bell import Bell
from edgechat.client.closes import Ended
from edgechat.client.connection import Connection, Talk
from edgechat.client.errors import RoomError
from edgechat.client.events import Event
from edgechat.client.frames import BadFrame
from edgechat.client.outbox import Entry
from edgechat.client.session import Phase, Session


class Keeper:
    """The tasks behind a room. `converse` opens one connection and talks over it."""

    def __init__(self, session: Session, converse: Callable[[Talk], Awaitable[Ended]]) -> None:
        self._session = session
        self._converse = converse
        self._reader_bell = Bell()
        self._writer_bell = Bell()
        self._writer_wakes_at = inf
        self._news = trio.lowlevel.ParkingLot()  # iterators, and who waits for the first join
        self._answers: dict[Entry, trio.Event] = {}
        # Shielded: whoever is cancelled outside, `leave` and `stop` decide how this ends.
        self._scope = trio.CancelScope(shield=True)
        self._is_leaving = False
        self._over = trio.Event()
        self._failure: RoomError | None = None

    async def run(self) -> None:
        """Stay in the room until `leave` or `stop`, or until one must not come back."""
        try:
            with self._scope:
                await self._stay()
        except RoomError as error:
            self._failure = error
        finally:
            self._over.set()
            self._news.unpark_all()
            for answered in self._answers.values():
                answered.set()

    async def leave(self) -> None:
        """Close in order: the connection, then `run`. What is unanswered stays so."""
        self._is_leaving = True
        self._writer_bell.ring()
        if self._session.phase is Phase.AWAY:
            self.stop()
        await self._over.wait()

    def stop(self) -> None:
        """Close at once: the server gets no close frame."""
        self._scope.cancel()

    async def wait_joined(self) -> None:
        """Wait for the first join. Raises `RoomError` if there will be none."""
        while self._session.limits is None:
            self.check_open()
            await self._news.park()

    async def next_event(self) -> Event | None:
        """The next event, None after leaving. Raises the `RoomError` that ended the room."""
        await trio.lowlevel.checkpoint()
        while not self._session.timeline.feed:
            if self._over.is_set() and self._failure is None:
                return None
            self.check_open()
            await self._news.park()
        event = self._session.take()
        self._reader_bell.ring()
        if self._session.should_rejoin:
            self._writer_bell.ring()
        return event

    async def wait_answered(self, entry: Entry) -> None:
        """Wait for a message's answer; without one the entry is forgotten.

        Raises the `RoomError` that ended the room, `trio.ClosedResourceError` after leaving.
        """
        answered = self._answers[entry] = trio.Event()
        self.wake()
        try:
            await answered.wait()
        finally:
            del self._answers[entry]
            self._session.outbox.forget(entry)
        if entry.answer is None:
            self.check_open()

    def check_open(self) -> None:
        """Raises what ended the room, if it has ended."""
        if self._over.is_set():
            raise self._failure or trio.ClosedResourceError("this room has been left")

    def wake(self) -> None:
        """Make the tasks look at the session again, where that changes what they wait for."""
        if self._session.wake_at < self._writer_wakes_at:
            self._writer_bell.ring()
        if self._session.may_read:
            self._reader_bell.ring()

    async def _stay(self) -> None:
        while not self._is_leaving:
            ended = await self._converse(self._talk)
            if not self._is_leaving:
                wait = self._session.disconnected(ended, trio.current_time())
                self._news.unpark_all()
                await trio.sleep(wait)

    async def _talk(self, connection: Connection) -> Ended:
        ends: list[Ended] = []
        await connection.send([self._session.connected(trio.current_time())])
        async with trio.open_nursery() as nursery:

            async def end_both_after(task: Callable[[Connection], Awaitable[Ended]]) -> None:
                ends.append(await task(connection))
                nursery.cancel_scope.cancel()

            nursery.start_soon(end_both_after, self._read)
            nursery.start_soon(end_both_after, self._write)
        return ends[0]

    async def _read(self, connection: Connection) -> Ended:
        while True:
            await self._wait_for_room()
            frame = await connection.receive()
            if isinstance(frame, Ended):
                return frame
            try:
                answered = self._session.received(frame, trio.current_time())
            except BadFrame as error:
                return Ended(text=f"not of this protocol: {error}")
            for entry in answered:
                self._answers[entry].set()
            self._news.unpark_all()
            self.wake()

    async def _wait_for_room(self) -> None:
        """Backpressure: what is not read here fills the socket, and the server notices."""
        if self._session.may_read:
            return
        self._session.paused()
        while not self._session.may_read:
            await self._reader_bell.wait()
        self._session.unpaused(trio.current_time())
        self.wake()

    async def _write(self, connection: Connection) -> Ended:
        while True:
            now = trio.current_time()
            if self._is_leaving:
                return Ended(1000, "left")
            if self._session.should_rejoin:
                return Ended(text="rejoining for what overflowed")
            if self._session.is_dead(now):
                return Ended(text="the server did not answer a ping")
            await connection.send(self._session.due(now))
            self._writer_wakes_at = self._session.wake_at
            with trio.move_on_at(self._writer_wakes_at):
                await self._writer_bell.wait()
