"""A history as one HTML file: no script, nothing fetched, all that was said escaped."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from edgechat.cli.showing import printable, utc_time

if TYPE_CHECKING:
    from edgechat.chat.line import Record

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 45rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h2 { margin: 2rem 0 1rem; font-size: 1rem; text-align: center; }
article { margin: .5rem 0; scroll-margin: 1rem; }
article:target { background: Mark; color: MarkText; }
article > p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
time, .lost, footer { color: GrayText; font-size: .85rem; }
time a { color: inherit; text-decoration: none; }
"""
_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
_HEAD = """<!DOCTYPE html>
<html lang="mul">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>{room}</title>
<style>{style}</style>
</head>
<body>
<h1 dir="auto">{room}</h1>
"""
# Characters that HTML does not allow, or that break a line where none should break.
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "�")
_ALLOWED = {code: char for code, char in _CONTROL.items() if code not in (9, 10)}


class HtmlPage:
    """One page; times are in UTC, and each message can be linked to by its number."""

    def __init__(self) -> None:
        self._day = ""
        self._count = 0

    def begin(self, room: str) -> str:
        """The head, and the room's name."""
        return _HEAD.format(policy=_POLICY, room=escape(printable(room)), style=_STYLE)

    def message(self, record: Record, line: bytes) -> str:
        """An article, under the day's heading if it is the day's first."""
        self._count += 1
        day, _, time = utc_time(record.timestamp).partition(" ")
        heading = "" if day == self._day else f"<h2>{escape(day)}</h2>\n"
        self._day = day
        seq, name = record.seq, escape(record.name.translate(_CONTROL))
        return (
            f'{heading}<article id="m{seq}"><b dir="auto">{name}</b> '
            f'<time datetime="{day}T{time}Z"><a href="#m{seq}">{time}</a></time>\n'
            f'<p dir="auto">{escape(record.message.translate(_ALLOWED))}</p></article>\n'
        )

    def lost(self, seq: int) -> str:
        """A word of it."""
        return f'<p class="lost" id="m{seq}">Message {seq} is damaged.</p>\n'

    def end(self) -> str:
        """How many there are."""
        return f"<footer>{self._count:,} messages. Times are in UTC.</footer>\n</body>\n</html>\n"
