"""One connection's standing in a room: which frames it may send now, and who it is.

    AWAITING_NAME --Hello--> CHATTING

A frame that is not of the protocol is refused and the session stays where it is; ten in a row
end it.
"""

from __future__ import annotations

from enum import Enum, auto

from edgechat.core import wire
from edgechat.core.allowance import Spender
from edgechat.core.errors import Close, Refusal
from edgechat.core.record import encode_name


class State(Enum):
    """Where a session stands."""

    AWAITING_NAME = auto()
    CHATTING = auto()


class Session:
    """A member, or one who is about to be. Two tabs of one person are two sessions."""

    __slots__ = (
        "_bad_frames",
        "_max_bad_frames",
        "_typed_at",
        "allowance",
        "joined",
        "name",
        "name_json",
        "state",
        "v2",
    )

    def __init__(self, allowance: Spender, max_bad_frames: int) -> None:
        self.state = State.AWAITING_NAME
        self.allowance = allowance
        self.name = ""
        self.name_json = b""
        self.joined = b""
        self.v2 = False
        self._bad_frames = 0
        self._max_bad_frames = max_bad_frames
        self._typed_at = float("-inf")

    def introduce(self, name: str, *, v2: bool) -> None:
        """The hello was accepted: from now on this session chats, by that (checked) name."""
        self.name = name
        self.name_json = encode_name(name)
        self.joined = wire.joined(self.name_json)
        self.v2 = v2
        self.state = State.CHATTING

    def receive(self, text: str) -> wire.Hello | wire.Say | wire.Typing | wire.Ping:
        """The command in a frame's text. Raises `Refusal`: `bad_frame`, the tenth with a close."""
        try:
            if self.state is State.CHATTING:
                command: wire.Hello | wire.Say | wire.Typing | wire.Ping = wire.parse(text)
            else:
                command = wire.parse_hello(text)
        except Refusal as refusal:
            raise self.bad_frame(refusal.text) from None
        self._bad_frames = 0
        return command

    def bad_frame(self, text: str) -> Refusal:
        """Count a frame that is not of the protocol, and return its refusal."""
        self._bad_frames += 1
        abuse = self._bad_frames >= self._max_bad_frames
        return wire.bad_frame(text, close=Close.POLICY if abuse else None)

    def may_show_typing(self, now: float, interval: float) -> bool:
        """Whether it is time to tell the others again; `now` in seconds."""
        if now - self._typed_at < interval:
            return False
        self._typed_at = now
        return True
