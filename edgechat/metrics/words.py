"""The values of labels that are there from the start."""

from __future__ import annotations

from edgechat.chat.errors import CLOSES

# What can happen is there before it does: else its first time would be no rise.
NO_CLOSES = dict.fromkeys((*CLOSES, 1006), 0)  # 1006: it ended without a close frame of ours
NOTHING_REFUSED = dict.fromkeys(
    (
        "bad handshake",
        "bad head",
        "bad host",
        "full",
        "large head",
        "no room",
        "not http",
        "origin",
        "other host",
        "slow head",
        "stopping",
        "too fast for one address",
        "too many of one address",
        "too many rooms",
        "two lengths",
        "worker away",
        "worker busy",
    ),
    0,
)
NO_DEFECTS = dict.fromkeys(
    (
        "a connection",
        "a history's recovery",
        "a limiter",
        "a request",
        "a room",
        "a scrape",
        "a webhook",
        "reading from a connection",
    ),
    0,
)
