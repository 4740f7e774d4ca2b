"""One connection's standing in a room: which frames it may send now, and who it is.

    AWAITING_NAME --Hello--> CHATTING

A frame that is not of the protocol is refused and the session stays where it is; ten in a row
end it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from edgechat.chat import outgoing, protocol
from edgechat.chat.allowance import Spendable
from edgechat.chat.errors import Close, Refusal
from edgechat.chat.line import encode_name
from edgechat.chat.message import check_message
from edgechat.settings import Settings

Received = protocol.Hello | protocol.Say | protocol.Typing | protocol.Ping


class State(Enum):
    """Where a session stands."""

    AWAITING_NAME = auto()
    CHATTING = auto()


def _free(frames: float) -> None:
    """Nobody counts."""


_CHATTING = State.CHATTING  # read for each message: a global, and no look into the class


class Session:
    """A member, or one who is about to be. Two tabs of one person are two sessions."""

    __slots__ = (
        "_bad_frames",
        "_settings",
        "_typed_at",
        "allowance",
        "charge",
        "joined",
        "name",
        "name_json",
        "state",
        "v2",
    )

    def __init__(self, allowance: Spendable, settings: Settings) -> None:
        self.state = State.AWAITING_NAME
        self.allowance = allowance
        self.name = ""
        self.name_json = b""
        self.joined = b""
        self.v2 = False
        # Told what was answered without an allowance, in frames: a connection has a budget of them.
        self.charge: Callable[[float], None] = _free
        self._bad_frames = 0
        self._settings = settings
        self._typed_at = float("-inf")

    def introduce(self, name: str, *, v2: bool) -> None:
        """The hello was accepted: from now on this session chats, by that (checked) name."""
        self.name = name
        self.name_json = encode_name(name)
        self.joined = outgoing.joined(self.name_json)
        self.v2 = v2
        self.state = State.CHATTING

    def receive(self, text: str | None) -> Received:
        """The command in a frame's text; None is a binary frame.

        Raises `Refusal`: `bad_frame`, the tenth in a row with a close, or what is wrong with a
        message's text.
        """
        if self.state is _CHATTING and text is not None:
            say = protocol.plain_say(text, self._settings.max_message_chars)
            if say is not None:
                self._bad_frames = 0
                return say
        try:
            command = self._parse(text)
        except Refusal as refusal:
            self._bad_frames += 1
            abuse = self._bad_frames >= self._settings.bad_frames
            raise protocol.bad_frame(refusal.text, close=Close.POLICY if abuse else None) from None
        self._bad_frames = 0
        if type(command) is protocol.Say:
            check_message(command, self._settings.max_message_chars)
        return command

    def may_show_typing(self, now: float, interval: float) -> bool:
        """Whether it is time to tell the others again; `now` in seconds."""
        if now - self._typed_at < interval:
            return False
        self._typed_at = now
        return True

    def _parse(self, text: str | None) -> Received:
        if text is None:
            raise protocol.bad_frame("Binary frames mean nothing here: send JSON as text.")
        return protocol.parse(text) if self.state is _CHATTING else protocol.parse_hello(text)
