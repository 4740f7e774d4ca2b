from __future__ import annotations

import pytest

from edgechat.cli.happening import words_of
from edgechat.client import (
    Delayed,
    Disconnected,
    Error,
    Event,
    Joined,
    Lost,
    Members,
    Message,
    Quit,
    Ready,
    Reset,
    Typing,
)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Lost(7), "Message 7 is damaged."),
        (Joined("a\x1b[1mb"), "a\\x1b[1mb joined."),
        (Quit("bob"), "bob left."),
        (Delayed("id", "rate_limited", "Slow down.", 3.4), "Slow down. (sent again in 3 s)"),
        (Disconnected(1006, "lost", 1.0), "The server is away (lost). What you send waits."),
        (Reset("forked"), "Another history took the room's place."),
        (Reset("far"), "Some messages may be missing here (far)."),
        (Ready("lobby", 1, "h", 2), "2 here, in lobby. /help helps."),
        (Ready("ab" * 32, 1, "h", 2), "2 here, in the private room abababab…. /help helps."),
        (Error("bad_frame", "No."), "No."),
        (Members(9), ""),
        (Typing(("bob",)), ""),
    ],
)
def test_words(event: Event, words: str) -> None:
    assert words_of(event, colour=False) == words
    assert words_of(event, colour=True) == (f"\x1b[2m{words}\x1b[0m" if words else "")


def test_a_message() -> None:
    message = Message(1, 1_763_880_000_123, "al\x1bice", "hi\nho", "h")
    assert words_of(message, colour=False).endswith(" al\\x1bice: hi\n    ho")
