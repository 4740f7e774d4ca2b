"""A mailbox, and who drains it: what a room is, apart from what it does with its commands.

The mailbox is a memory channel. It is drained by a turn or by the room's own task, never by both:
by a turn while the room is `RESTING`, which says that its task is parked and that no batch is
under way. The task parks beside the channel, not in it, so that a message need not wake it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import trio
from outcome import Value

from edgechat.chat.commands import Command, Speak, Type
from edgechat.chat.errors import Refusal
from edgechat.rooms.phase import RESTING, WORKING, Phase


class Actor:
    """A bounded mailbox, the task that waits beside it, and whether a batch is under way."""

    __slots__ = (
        "_join_turn",
        "_parked",
        "_receive_nowait",
        "_receiver",
        "_send_nowait",
        "_sender",
        "_under_way",
        "_woken",
        "defect",
        "phase",
        "waiting",
    )

    def __init__(self, size: int, join_turn: Callable[[Any], None]) -> None:
        """`size`: commands; a full mailbox is backpressure on its senders.

        `join_turn` has the mailbox drained by the turn that is going on.
        """
        self._join_turn = join_turn
        self.phase = Phase.OPENING
        # Commands in the mailbox. One whose sender waited for a place counts when that goes on:
        # until then it may be drained in the place of another, and there is never less than this.
        self.waiting = 0
        self.defect: Exception | None = None  # what went wrong in a step: the task has to end
        self._sender, self._receiver = trio.open_memory_channel[Command](size)
        self._send_nowait = self._sender.send_nowait
        self._receive_nowait = self._receiver.receive_nowait
        self._parked: trio.lowlevel.Task | None = None
        self._under_way = False  # a batch is submitted, and not told yet
        self._woken = False  # there is something for the task to do when that batch is told

    async def post(self, command: Speak | Type) -> None:
        """Put a command in the mailbox; waits while it is full. Raises `Refusal`."""
        if self.phase is Phase.CLOSING:  # else a flood could keep it from ever ending
            raise unavailable()
        try:
            await self._put(command)
        except trio.BrokenResourceError:
            raise unavailable() from None
        self.wake()

    def post_nowait(self, command: Speak | Type) -> None:
        """Put a command in the mailbox, for a turn that is to be finished afterwards.

        Raises `Refusal` (`unavailable`), `trio.WouldBlock`.
        """
        if self.phase is RESTING:
            if not self.waiting:
                self._join_turn(self)
        elif self.phase is not WORKING:
            raise unavailable()
        self._send_nowait(command)
        self.waiting += 1

    def drain(self, most: int) -> list[Command]:
        """Take what waits in the mailbox, the oldest first, at most so many."""
        count = self.waiting
        if count == 1:  # nearly always, in a small room
            self.waiting = 0
            return [self._receive_nowait()]
        count = min(count, most)
        self.waiting -= count
        return [self._receive_nowait() for _ in range(count)]

    def stop(self) -> None:
        """Let the task take what is in the mailbox, and end. Nothing new is taken."""
        if self.phase is not Phase.ENDED:
            self.phase = Phase.CLOSING
            self.wake()

    def close(self) -> None:
        """The task has ended: whoever waits for a place in the mailbox is told."""
        self.phase = Phase.ENDED
        self._receiver.close()

    def begin_work(self) -> None:
        """A batch is under way until `rest`."""
        self._under_way = True
        if self.phase is RESTING:
            self.phase = WORKING

    def rest(self) -> None:
        """The batch is told: the task goes on if it has something to do, else what gathered."""
        self._under_way = False
        if self._woken:
            self._unpark()
        elif self._parked is not None:
            if self.phase is WORKING:
                self.phase = RESTING
            if self.waiting:
                self._join_turn(self)

    def spoil(self, defect: Exception) -> None:
        """A step of a batch went wrong: that is the room's own affair, and ends it."""
        self.defect = defect
        self._under_way = False
        self._unpark()

    def wake(self) -> None:
        """There is something for the task to do. It waits for the batch that is under way."""
        self._woken = True
        if not self._under_way:
            self._unpark()

    def hand_over(self, commands: list[Command]) -> None:
        """Let the parked task go on with these commands, which a turn has drained."""
        self._unpark(commands)

    async def wait_rested(self) -> None:
        """Until no batch is under way. Raises the `defect`, if there is one."""
        while self._under_way and self.defect is None:
            self._woken = True
            await self.park(inf)
        defect, self.defect = self.defect, None  # its traceback knows this actor
        if defect is not None:
            raise defect
        self._woken = False

    async def park(self, deadline: float) -> list[Command] | None:
        """Until it is woken, handed commands, or `deadline` (seconds of the clock) has come."""
        if self.phase is WORKING and not self._under_way:
            self.phase = RESTING
        self._parked = trio.lowlevel.current_task()
        with trio.move_on_at(deadline):
            commands: list[Command] | None = await trio.lowlevel.wait_task_rescheduled(self._abort)
            return commands
        return None

    async def _put(self, command: Command) -> None:
        try:
            self._send_nowait(command)  # saves a task switch
        except trio.WouldBlock:
            await self._sender.send(command)
        self.waiting += 1

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        """The deadline has come, or the task is cancelled."""
        self._leave_park()
        return trio.lowlevel.Abort.SUCCEEDED

    def _unpark(self, commands: list[Command] | None = None) -> None:
        if (task := self._leave_park()) is not None:
            trio.lowlevel.reschedule(task, Value(commands))

    def _leave_park(self) -> trio.lowlevel.Task | None:
        task, self._parked = self._parked, None
        if task is not None and self.phase is RESTING:
            self.phase = WORKING
        return task


def unavailable() -> Refusal:
    """The refusal of what comes while a room ends."""
    return Refusal("unavailable", "This room is starting again: reconnect.")
