"""Refusals and closes: what goes wrong, in one table each, with words for people."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Code = Literal[
    "bad_frame",
    "name_too_long",
    "bad_name",
    "message_too_long",
    "empty_message",
    "bad_message",
    "rate_limited",
    "id_conflict",
    "storage_unavailable",
    "unavailable",
]


class Close(IntEnum):
    """WebSocket close codes this server sends, and whether a client may come back.

    Below 4000: RFC 6455, section 7.4.1, and IANA's registry. From 4000: ours.
    """

    NORMAL = 1000
    PROTOCOL_ERROR = 1002  # do not reconnect
    INVALID_DATA = 1007  # do not reconnect
    POLICY = 1008  # do not reconnect
    TOO_BIG = 1009  # do not reconnect with the same
    DEFECT = 1011  # reconnect, backing off
    RESTART = 1012  # reconnect with jitter
    FULL = 1013  # reconnect later
    SLOW = 4008  # reconnect and resume
    SILENT = 4408  # reconnect and resume


class Refusal(Exception):
    """Something asked for is refused; nothing of it was stored or shown to anyone.

    `text` is for a person and says what to do; `code` is for programs; `close`, where there is
    one, ends the connection.
    """

    def __init__(
        self,
        code: Code,
        text: str,
        *,
        id: str | None = None,
        retry_after_ms: int | None = None,
        close: Close | None = None,
    ) -> None:
        super().__init__(text)
        self.code: Code = code
        self.text = text
        self.id = id
        self.retry_after_ms = retry_after_ms
        self.close = close


class StorageUnavailable(Exception):
    """A history can't be read or written now. Nothing of what was to be written is there."""


class HistoryChanged(StorageUnavailable):
    """The history is not the one that was opened: it vanished, or lost lines. Open it anew."""
