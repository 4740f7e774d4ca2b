"""Text for a terminal: what people typed must neither steer it nor pose as another's words."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime

# Control characters, line and paragraph separators, lone surrogates, overrides of direction; of a
# name also the other characters that turn the direction of the text after it.
_UNSAFE_TEXT = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ud800-\udfff]")
_UNSAFE_NAME = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = (31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96)
INDENT = "    "


def printable(text: str) -> str:
    """A name, or anything else of one line: a control character becomes its escape in Python."""
    return _UNSAFE_NAME.sub(_escaped, text)


def printable_text(text: str) -> str:
    """A message. Its further lines are indented, so that none looks like another message."""
    return _UNSAFE_TEXT.sub(_escaped, text).replace("\n", f"\n{INDENT}")


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def local_time(stamp: int) -> str:
    """A timestamp in ms, by this machine's clock: `2026-01-31 23:59:59`."""
    return _time(stamp, utc=False)


def utc_time(stamp: int) -> str:
    """A timestamp in ms: `2026-01-31 23:59:59`, in UTC."""
    return _time(stamp, utc=True)


def _time(stamp: int, utc: bool) -> str:
    try:
        moment = datetime.fromtimestamp(stamp / 1000, UTC)
        return f"{moment if utc else moment.astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):  # of a server with other ideas of time
        return str(stamp)


def wants_colour(stream: object) -> bool:
    """Whether it is a terminal, and nobody said no (https://no-color.org)."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and isatty() and not os.environ.get("NO_COLOR")


def coloured(name: str, colour: bool) -> str:
    """A name, already printable, in a colour of its own."""
    if not colour:
        return name
    return f"\x1b[{_COLOURS[sum(name.encode(errors='replace')) % len(_COLOURS)]}m{name}\x1b[0m"


def dim(text: str, colour: bool) -> str:
    """What matters less."""
    return f"\x1b[2m{text}\x1b[0m" if colour else text


def message_line(stamp: int, name: str, text: str, colour: bool) -> str:
    """A message, for a person; without a newline at its end."""
    time = dim(local_time(stamp), colour)
    return f"{time} {coloured(printable(name), colour)}: {printable_text(text)}"


def note(text: str) -> None:
    """Something about the work itself, to standard error."""
    print(printable(text), file=sys.stderr, flush=True)  # noqa: T201
