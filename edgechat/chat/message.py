"""What a message's text may be."""

from __future__ import annotations

import re

from edgechat.chat.errors import Refusal
from edgechat.chat.protocol import Say
from edgechat.chat.visible import shows_nothing

# Controls (Unicode category Cc) but newline and tab.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def check_message(say: Say, max_chars: int) -> None:
    """Raises `Refusal` for a text that is too long, empty, or has control characters."""
    text = say.text
    if len(text) > max_chars:
        raise Refusal(
            "message_too_long",
            f"Message too long: {len(text)} characters, at most {max_chars}.",
            id=say.id,
        )
    if not text or text.isspace():
        raise Refusal("empty_message", "There is nothing in this message.", id=say.id)
    if not text.isascii() and shows_nothing(text):
        raise Refusal("empty_message", "There is nothing to see in this message.", id=say.id)
    if not text.isprintable() and _CONTROL.search(text):
        raise Refusal(
            "bad_message",
            "Control characters other than newline and tab can't be sent.",
            id=say.id,
        )
