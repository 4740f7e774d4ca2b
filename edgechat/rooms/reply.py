"""What becomes of a command whose sender is not a member."""

from __future__ import annotations

import trio

from edgechat.chat.errors import Refusal


class Reply:
    """The answer to one session's command, once there is one."""

    __slots__ = ("_answer", "_answered")

    def __init__(self) -> None:
        self._answered = trio.Event()
        self._answer: bytes | Refusal = b""

    def set(self, answer: bytes | Refusal) -> None:
        """The stored line, or why there is none."""
        self._answer = answer
        self._answered.set()

    async def wait(self) -> bytes:
        """The stored line, without a newline. Raises `Refusal`."""
        await self._answered.wait()
        if isinstance(self._answer, Refusal):
            raise self._answer
        return self._answer
