"""Refusals and closes: what goes wrong, in one table each, with words for people."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Literal, NamedTuple

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


class Return(Enum):
    """What a client does after a close, in the words of `docs/protocol.md`."""

    NEVER = "do not reconnect"
    CHANGED = "do not reconnect with the same"
    BACK_OFF = "reconnect, backing off"
    JITTER = "reconnect with jitter"
    LATER = "reconnect later"
    RESUME = "reconnect and resume"

    @property
    def is_allowed(self) -> bool:
        """Whether the same client may come back with the same name."""
        return self not in (Return.NEVER, Return.CHANGED)


class CloseRule(NamedTuple):
    """What a close code means, and what a client does after it."""

    meaning: str
    client: Return


CLOSES: Mapping[Close, CloseRule] = MappingProxyType(
    {
        Close.NORMAL: CloseRule("closed in order", Return.BACK_OFF),
        Close.PROTOCOL_ERROR: CloseRule("not WebSocket", Return.NEVER),
        Close.INVALID_DATA: CloseRule("not UTF-8", Return.NEVER),
        Close.POLICY: CloseRule("protocol abuse", Return.NEVER),
        Close.TOO_BIG: CloseRule("frame or name too large", Return.CHANGED),
        Close.DEFECT: CloseRule("a defect in the server", Return.BACK_OFF),
        Close.RESTART: CloseRule("restart", Return.JITTER),
        Close.FULL: CloseRule("full", Return.LATER),
        Close.SLOW: CloseRule("slow", Return.RESUME),
        Close.SILENT: CloseRule("no answer to heartbeats", Return.RESUME),
    }
)


def after_close(code: int) -> Return:
    """What a client does after a close code, its own or a middleman's. An unknown one, and the
    end of a connection without any (1006), is tried again.
    """
    try:
        return CLOSES[Close(code)].client
    except ValueError:
        return Return.BACK_OFF


class RefusalRule(NamedTuple):
    """What comes with a refusal.

    `close` always follows it; `may_close` follows it in some cases: after ten bad frames in a
    row, where a history can't be read at a join, when a room ends. `status` is its answer over
    HTTP. If it `passes` by itself, the same message may be stored when it is sent again.
    """

    status: HTTPStatus
    close: Close | None = None
    may_close: Close | None = None
    passes: bool = False


REFUSALS: Mapping[Code, RefusalRule] = MappingProxyType(
    {
        "bad_frame": RefusalRule(HTTPStatus.BAD_REQUEST, may_close=Close.POLICY),
        "name_too_long": RefusalRule(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Close.TOO_BIG),
        "bad_name": RefusalRule(HTTPStatus.BAD_REQUEST, Close.POLICY),
        "message_too_long": RefusalRule(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        "empty_message": RefusalRule(HTTPStatus.BAD_REQUEST),
        "bad_message": RefusalRule(HTTPStatus.BAD_REQUEST),
        "rate_limited": RefusalRule(HTTPStatus.TOO_MANY_REQUESTS, passes=True),
        "id_conflict": RefusalRule(HTTPStatus.CONFLICT),
        "storage_unavailable": RefusalRule(
            HTTPStatus.SERVICE_UNAVAILABLE, may_close=Close.FULL, passes=True
        ),
        "unavailable": RefusalRule(
            HTTPStatus.SERVICE_UNAVAILABLE, may_close=Close.RESTART, passes=True
        ),
    }
)


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
