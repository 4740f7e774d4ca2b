"""The formats of `edgechat export`: what a history becomes for others' programs, and for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from edgechat.cli.html_page import HtmlPage
from edgechat.cli.showing import printable, printable_text, utc_time

if TYPE_CHECKING:
    from edgechat.chat.line import Record

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$^=:@])")  # all that any Markdown gives a meaning
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(Protocol):
    """Turns a history into text, piece by piece."""

    def begin(self, room: str) -> str:
        """What stands before the messages."""

    def message(self, record: Record, line: bytes) -> str:
        """A message; `line` is what stands in the file."""

    def lost(self, seq: int) -> str:
        """A message that can't be read any more."""

    def end(self) -> str:
        """What stands after the messages."""


class Jsonl:
    """The lines byte for byte, as the HTTP API has them."""

    def begin(self, room: str) -> str:
        """Nothing: the header is the file's own."""
        return ""

    def message(self, record: Record, line: bytes) -> str:
        """The line itself."""
        return f"{line.decode()}\n"

    def lost(self, seq: int) -> str:
        """As a client is told it."""
        return f'{{"seq":{seq},"kind":"lost"}}\n'

    def end(self) -> str:
        """Nothing."""
        return ""


class Text:
    """A message begins with its time and name, its further lines with four blanks."""

    def begin(self, room: str) -> str:
        """Nothing."""
        return ""

    def message(self, record: Record, line: bytes) -> str:
        """Its time is in UTC."""
        name, text = printable(record.name), printable_text(record.message)
        return f"{utc_time(record.timestamp)}Z {name}: {text}\n"

    def lost(self, seq: int) -> str:
        """A word of it."""
        return f"(message {seq} is damaged)\n"

    def end(self) -> str:
        """Nothing."""
        return ""


class Markdown:
    """A heading for each day, a paragraph for each message. All that could be markup is escaped."""

    def __init__(self) -> None:
        self._day = ""

    def begin(self, room: str) -> str:
        """The title."""
        return f"# {_escaped(room)}\n"

    def message(self, record: Record, line: bytes) -> str:
        """With the day's heading, if it is the day's first."""
        day, _, time = utc_time(record.timestamp).partition(" ")
        heading = "" if day == self._day else f"\n## {day}\n"
        self._day = day
        lines = [_escaped(each) for each in printable_text(record.message).split("\n")]
        text = "  \n".join(lines)
        return f"{heading}\n**{_escaped(printable(record.name))}** {time}  \n{text}\n"

    def lost(self, seq: int) -> str:
        """A word of it."""
        return f"\n*(message {seq} is damaged)*\n"

    def end(self) -> str:
        """Nothing."""
        return ""


def _escaped(text: str) -> str:
    return re.sub(r"^(\d+)(?=\)|\.)", r"\1\\", _MARKS.sub(r"\\\1", text.strip(" \t")))


class Csv:
    """RFC 4180. A text that a spreadsheet would take for a formula has a `'` before it."""

    def begin(self, room: str) -> str:
        """The names of the columns."""
        return _row("seq", "time", "name", "message", "id")

    def message(self, record: Record, line: bytes) -> str:
        """Its time is in UTC, in the form of ISO 8601."""
        stamp, text = utc_time(record.timestamp), record.message
        ms = record.timestamp % 1_000
        time = f"{stamp.replace(' ', 'T')}.{ms:03}Z"
        return _row(str(record.seq), time, record.name, text, record.id or "")

    def lost(self, seq: int) -> str:
        """Its number alone."""
        return _row(str(seq), "", "", "", "")

    def end(self) -> str:
        """Nothing."""
        return ""


def _row(*cells: str) -> str:
    row = io.StringIO()
    csv.writer(row).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return row.getvalue()


FORMATS: dict[str, Callable[[], Format]] = {
    "jsonl": Jsonl,
    "txt": Text,
    "md": Markdown,
    "csv": Csv,
    "html": HtmlPage,
}
