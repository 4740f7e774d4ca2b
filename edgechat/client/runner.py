"""Keeps a conversation connected: performs what `conversation.py` decides.

Tasks: `run` dials, and reconnects. While a connection lives, one task reads from it and one writes
to it; whichever ends first ends the other. Code that changes the conversation in a way that
concerns one of them wakes it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from math import inf

import trio

from edgechat.client.connection import Frames, Talk
from edgechat.client.conversation import Conversation, JoinState
from edgechat.client.events import Event
from edgechat.client.failures import RoomError
from edgechat.client.reconnect import Ended
from edgechat.client.unsent import Outgoing
from edgechat.client.wire import BadFrame

log = logging.getLogger(__name__)


class Wakeup:
    """Wakes one task, any number of times: what comes while it is busy counts at its next wait."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        """Wake the task, now or at its next `wait`."""
        self._event.set()

    async def wait(self) -> None:
        """Wait for a `set` since the last `wait` returned."""
        await self._event.wait()
        self._event = trio.Event()


class Runner:
    """The tasks behind a room. `converse` opens one connection and talks over it."""

    def __init__(
        self, conversation: Conversation, converse: Callable[[Talk], Awaitable[Ended]]
    ) -> None:
        self._conversation = conversation
        self._converse = converse
        self._reader_wakeup = Wakeup()
        self._writer_wakeup = Wakeup()
        self._writer_wakes_at = inf
        self._news = trio.lowlevel.ParkingLot()  # iterators, and who waits for the first join
        self._answers: dict[Outgoing, trio.Event] = {}
        # Shielded: whoever is cancelled outside, `leave` and `stop` decide how this ends.
        self._scope = trio.CancelScope(shield=True)
        self._is_leaving = False
        self._over = trio.Event()
        self._failure: RoomError | None = None

    async def run(self) -> None:
        """Stay in the room until `leave` or `stop`, or until the client must not reconnect."""
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
        self._writer_wakeup.set()
        if self._conversation.state is JoinState.AWAY:
            self.stop()
        await self._over.wait()

    def stop(self) -> None:
        """Close at once: the server gets no close frame."""
        self._scope.cancel()

    async def wait_joined(self) -> None:
        """Wait for the first join. Raises `RoomError` if there will be none."""
        while self._conversation.limits is None:
            self.check_open()
            await self._news.park()

    async def next_event(self) -> Event | None:
        """The next event, None after leaving. Raises the `RoomError` that ended the room."""
        await trio.lowlevel.checkpoint()
        while not self._conversation.timeline.feed:
            if self._over.is_set() and self._failure is None:
                return None
            self.check_open()
            await self._news.park()
        event = self._conversation.take()
        self._reader_wakeup.set()
        if self._conversation.should_rejoin:
            self._writer_wakeup.set()
        return event

    async def wait_answered(self, entry: Outgoing) -> None:
        """Wait for a message's answer; without one the entry is forgotten.

        Raises the `RoomError` that ended the room, `trio.ClosedResourceError` after leaving.
        """
        answered = self._answers[entry] = trio.Event()
        self.wake()
        try:
            await answered.wait()
        finally:
            del self._answers[entry]
            self._conversation.unsent.forget(entry)
        if entry.answer is None:
            self.check_open()

    def check_open(self) -> None:
        """Raises what ended the room, if it has ended."""
        if self._over.is_set():
            raise self._failure or trio.ClosedResourceError("this room has been left")

    def wake(self) -> None:
        """Make the tasks look at the conversation again, where that changes what they wait for."""
        if self._conversation.wake_at < self._writer_wakes_at:
            self._writer_wakeup.set()
        if self._conversation.may_read:
            self._reader_wakeup.set()

    async def _stay(self) -> None:
        while not self._is_leaving:
            ended = await self._converse(self._talk)
            if not self._is_leaving:
                wait = self._conversation.disconnected(ended, trio.current_time())
                self._news.unpark_all()
                log.info("No connection (%s). Next attempt in %.1f s.", ended.words, wait)
                await trio.sleep(wait)

    async def _talk(self, connection: Frames) -> Ended:
        ends: list[Ended] = []
        await connection.send([self._conversation.connected(trio.current_time())])
        async with trio.open_nursery() as nursery:

            async def end_both_after(task: Callable[[Frames], Awaitable[Ended]]) -> None:
                ends.append(await task(connection))
                nursery.cancel_scope.cancel()

            nursery.start_soon(end_both_after, self._read)
            nursery.start_soon(end_both_after, self._write)
        return ends[0]

    async def _read(self, connection: Frames) -> Ended:
        while True:
            await self._wait_for_room()
            frame = await connection.receive()
            if isinstance(frame, Ended):
                return frame
            try:
                answered = self._conversation.received(frame, trio.current_time())
            except BadFrame as error:
                return Ended(text=f"not of this protocol: {error}")
            for entry in answered:
                self._answers[entry].set()
            self._news.unpark_all()
            self.wake()

    async def _wait_for_room(self) -> None:
        """Backpressure: what is not read here fills the socket, and the server notices."""
        if self._conversation.may_read:
            return
        self._conversation.paused()
        while not self._conversation.may_read:
            await self._reader_wakeup.wait()
        self._conversation.unpaused(trio.current_time())
        self.wake()

    async def _write(self, connection: Frames) -> Ended:
        while True:
            now = trio.current_time()
            if self._is_leaving:
                return Ended(1000, "left")
            if self._conversation.should_rejoin:
                return Ended(text="rejoining for what overflowed")
            if self._conversation.is_dead(now):
                return Ended(text="the server did not answer a ping")
            await connection.send(self._conversation.due(now))
            self._writer_wakes_at = self._conversation.wake_at
            with trio.move_on_at(self._writer_wakes_at):
                await self._writer_wakeup.wait()
