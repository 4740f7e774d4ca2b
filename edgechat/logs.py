"""The server's log on standard error: one line an event, as text for people or as JSON.

Levels are for whoever is woken by them. ERROR: messages or connections are refused, or something
is damaged; look now. WARNING: it goes on, but look tomorrow. INFO: what is always so.
"""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TextIO

import msgspec

log = logging.getLogger(__name__)

Form = Literal["auto", "text", "json"]

_BURST = 10  # events of one kind in a minute; the others are counted only
_MINUTE = 60.0
_MOST_KINDS = 1_000  # more are no kinds, but texts that somebody put together
# What would end a line, move a cursor, turn the direction of text, or is no character at all.
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PRIVATE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.IGNORECASE)


def set_up(form: Form, stream: TextIO, process: str = "") -> None:
    """Log to `stream`, in this process, from now on. auto: text if it is a terminal, or JSON.

    `process` is this one's name, where there are several.
    """
    is_text = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter(process) if is_text else JsonFormatter(process))
    handler.addFilter(Repeats())
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("edgechat").setLevel(logging.INFO)
    sys.excepthook = _log_crash


class TextFormatter(logging.Formatter):
    """`2026-11-27T13:51:05.123Z WARNING what happened`; a traceback is indented below."""

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self._prefix = f"[{process}] " if process else ""

    def format(self, record: logging.LogRecord) -> str:
        """One line, but for a traceback."""
        line = f"{_time(record)} {record.levelname} {self._prefix}{_message(record)}"
        if suppressed := _suppressed(record):
            line += f" (and {suppressed} more like it before)"
        below = _traceback(self, record).splitlines()
        return "\n".join([line, *(f"    {_escape(each)}" for each in below)])


class JsonFormatter(logging.Formatter):
    """An object with `time`, `level`, `logger`, `message`, and where it has them `process`,
    `traceback` and `suppressed`, how many more like it were not logged before.
    """

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self._process = {"process": process} if process else {}

    def format(self, record: logging.LogRecord) -> str:
        """One line, a traceback included."""
        event: dict[str, str | int] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **self._process,
        }
        if suppressed := _suppressed(record):
            event["suppressed"] = suppressed
        if below := _traceback(self, record):
            event["traceback"] = "\n".join(map(_escape, below.splitlines()))
        return msgspec.json.encode(event).decode()


@dataclass(slots=True)
class _Kind:
    """Events of one kind since a minute's start."""

    start: float
    count: int = 0


class Repeats(logging.Filter):
    """Lets ten events of a kind through in a minute, and counts the rest for the next one.

    Where a disk is full, every message would be an event. A kind is a text before its arguments.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is logged."""
        if len(self._kinds) > _MOST_KINDS:
            self._kinds.clear()
        name, now = (record.name, str(record.msg)), record.created
        kind = self._kinds.setdefault(name, _Kind(now))
        if not 0 <= now - kind.start < _MINUTE:  # a wall clock may go back
            record.suppressed = max(kind.count - _BURST, 0)
            kind = self._kinds[name] = _Kind(now)
        kind.count += 1
        return kind.count <= _BURST


def _log_crash(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """What ends the process is an event like any other."""
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        log.critical("A defect ended the server.", exc_info=(kind, error, traceback))


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    return _escape(record.getMessage())


def _suppressed(record: logging.LogRecord) -> int:
    return getattr(record, "suppressed", 0)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def _escape(text: str) -> str:
    """Safe in one line of a terminal, and without a private room's id, its only lock."""
    hidden = _PRIVATE_ID.sub("<private id>", text)
    return _ODD.sub(lambda found: found[0].encode("unicode_escape").decode(), hidden)
