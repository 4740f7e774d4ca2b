"""Nodes give each other lines that the engine has let go of: a question to all, the first answer.

Both go through the engine's channels. Nobody has to be trusted: who asked checks the chain.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NoReturn

import trio

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.nodes import keys
from edgechat.nodes.chain import join, split
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import LinkDown
from edgechat.nodes.keys import RoomKeys, room_of

_PATIENCE = 2.0  # seconds for an answer
_WAITING = 100  # questions; of more, the others may take care

# Reads a page of a room's lines after one, from this node's file; none where it has none.
Read = Callable[[RoomKey, int], Awaitable[Sequence[bytes]]]


class Siblings:
    """What this node asks the others, and what it is asked."""

    def __init__(self, connection: Callable[[], EngineConnection], read: Read) -> None:
        """`connection` is the one that is up, or raises `LinkDown`."""
        self.boot = system.token_bytes(8).hex()
        self._connection = connection
        self._read = read
        self._asked, self._questions = trio.open_memory_channel[bytes](_WAITING)
        self._answers: dict[bytes, tuple[trio.Event, list[bytes]]] = {}
        self._number = 0

    @property
    def channels(self) -> tuple[str, str]:
        """What this node listens to."""
        return keys.ASK, keys.answers_to(self.boot)

    async def ask(self, room: RoomKeys, after: int) -> Sequence[bytes]:
        """Lines after line `after`, as some other node has them; none where none answers.

        Raises `LinkDown`.
        """
        self._number += 1
        number = b"%d" % self._number
        answered, lines = self._answers[number] = trio.Event(), []
        try:
            question = f"{self.boot} {self._number} {after} {room.room}"
            await self._connection().request("PUBLISH", keys.ASK, question)
            with trio.move_on_after(_PATIENCE):
                await answered.wait()
            return lines
        finally:
            del self._answers[number]

    def heard(self, channel: bytes, data: bytes) -> None:
        """Something was said on one of the `channels`. Never waits."""
        if channel.decode() == keys.ASK:
            if not data.startswith(self.boot.encode()):
                with suppress(trio.WouldBlock):
                    self._asked.send_nowait(data)
            return
        number, _, lines = data.partition(b" ")
        answered, found = self._answers.get(number, (None, []))
        if answered is not None and not answered.is_set():
            found += split(lines)
            answered.set()

    async def run(self) -> NoReturn:
        """Answer what is asked, one after the other, for ever."""
        while True:
            boot, number, after, room = (await self._questions.receive()).split(b" ", 3)
            lines = await self._read(room_of(room), int(after))
            if lines:
                answer = number + b" " + join(lines)
                channel = keys.answers_to(boot.decode())
                with suppress(LinkDown):
                    await self._connection().request("PUBLISH", channel, answer)
