"""A request's line and headers, as far as the door has to know them to part the two ways.

What the door reads, the HTTP server and the WebSocket handshake read once more. It is stricter than
they are, so that the three can't understand it differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from edgechat.net.refused import (
    AMBIGUOUS,
    BAD_HEAD,
    NOT_HTTP,
    OTHER_CODING,
    OTHER_VERSION,
    TOO_LARGE,
    Refused,
)

_ENDS = (b"\n\r\n", b"\n\n")  # of a head, with the end of the line before
_START = re.compile(rb"[A-Z]{1,20}( |\Z)")
_START_BYTES = 24
_LINE = re.compile(rb"([A-Z]{1,20}) ([!-~]+) HTTP/([0-9])\.([0-9])")
_TARGET = re.compile(rb"/|(?:https?|wss?)://|\*\Z", re.IGNORECASE)  # RFC 9112, section 3.2
# No blank before the colon, none at the start, and no control characters in a value: RFC 9112,
# sections 5.1 and 5.2, RFC 9110, section 5.5.
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r?\n)*")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_AUTHORITY = re.compile(r"(?:https?|wss?)://([^/?#]*)", re.IGNORECASE)
_ROOM = re.compile(r"/api/room/([^/?#]*)/websocket")
_PAGE = re.compile(
    rb"(?:GET|HEAD) /(?:(?:room|assets)/[^ ?]+|(?:sw|client|embed)\.js|manifest\.webmanifest)?"
    rb"(?:\?[^ ]*)? "
)
_FRAMING = (b"content-length", b"transfer-encoding")
# Headers of an offer to go on in another protocol, which the server may ignore: RFC 9110, 7.8. The
# HTTP server is not to see them, as it would take some up.
_OFFER = (b"upgrade", b"http2-settings")


class Field(NamedTuple):
    """A header: its name in lower case, its value, and how it came, without the line's end."""

    name: bytes
    value: bytes
    line: bytes


class Head(NamedTuple):
    """A whole head, with the empty line at its end, and what came behind it."""

    text: bytes
    rest: bytes
    target: str
    fields: tuple[Field, ...]
    names: frozenset[bytes]  # of its fields

    def values(self, name: str) -> list[str]:
        """Of one header, each as often as it came and in order."""
        if (wanted := name.lower().encode()) not in self.names:
            return []
        return [field.value.decode("latin-1") for field in self.fields if field.name == wanted]

    @property
    def method(self) -> bytes:
        """`GET`, or another."""
        return self.text.partition(b" ")[0]

    @property
    def authority(self) -> str | None:
        """The host and port in an absolute target, where it has one: RFC 9112, section 3.2.2."""
        found = _AUTHORITY.match(self.target)
        return found[1] if found is not None else None

    @property
    def is_for_page(self) -> bool:
        """Whether it asks for the page or one of its files."""
        return _PAGE.match(self.text) is not None

    @property
    def is_old(self) -> bool:
        """Whether it is of HTTP/1.0."""
        return self.text.partition(b"\n")[0].rstrip(b"\r").endswith(b"HTTP/1.0")

    @property
    def wants_websocket(self) -> bool:
        """Whether `websocket` is among what it offers to go on with."""
        if b"upgrade" not in self.names:
            return False
        protocols = ",".join(self.values("Upgrade")).split(",")
        return any(name.partition("/")[0].strip().lower() == "websocket" for name in protocols)

    @property
    def has_body(self) -> bool:
        """Whether something belongs to it that comes behind it."""
        return not self.names.isdisjoint(_FRAMING)

    def for_websocket(self) -> bytes:
        """Its text, where it offers to go on with `websocket` and with nothing else."""
        offers = self.values("Upgrade")
        if len(offers) < 2 and "," not in "".join(offers):
            return self.text
        kept = [field.line for field in self.fields if field.name != b"upgrade"]
        return self._with([*kept, b"Upgrade: websocket"])

    def without_offer(self) -> bytes:
        """Its text, without an offer to go on in another protocol."""
        if self.names.isdisjoint(_OFFER):
            return self.text
        return self._with(self._kept())

    def _with(self, lines: Iterable[bytes]) -> bytes:
        first = self.text.partition(b"\n")[0].rstrip(b"\r")
        return b"\r\n".join([first, *lines, b"", b""])

    def _kept(self) -> Iterator[bytes]:
        for field in self.fields:
            if field.name == b"connection":
                options = [option.strip() for option in field.value.split(b",")]
                options = [option for option in options if option.lower() not in _OFFER]
                if options:
                    yield b"Connection: " + b", ".join(options)
            elif field.name not in _OFFER:
                yield field.line


def find(
    data: bytes | bytearray, most_bytes: int, known: int = 0, most_fields: int = 128
) -> Head | None:
    """The head at the start of `data`; None while it is not whole. Raises `Refused`.

    `known` bytes were looked at before, so that a head that comes byte by byte is not searched
    from its start for each of them.
    """
    if known < _START_BYTES:
        start = bytes(data[:_START_BYTES])
        if _START.match(start) is None or start.startswith(b"PRI "):
            raise Refused(NOT_HTTP)
    new = max(0, known - 2)  # an end may have come in part
    ends = [at + len(end) for end in _ENDS if (at := data.find(end, new, most_bytes)) >= 0]
    if ends:
        return parse(bytes(data[: min(ends)]), bytes(data[min(ends) :]), most_fields)
    if len(data) >= most_bytes:
        raise Refused(TOO_LARGE)
    return None


def parse(text: bytes, rest: bytes, most_fields: int) -> Head:
    """The head whose whole text this is, with what came behind it. Raises `Refused`.

    It has at most so many header fields.
    """
    first, _, lines = text.partition(b"\n")
    line = _LINE.fullmatch(first.removesuffix(b"\r"))
    if line is None or (_TARGET.match(line[2]) is None and line[1] != b"CONNECT"):
        raise Refused(NOT_HTTP)
    if line[3] != b"1":
        raise Refused(OTHER_VERSION)
    lines = lines[: -2 if lines.endswith(b"\r\n") else -1]  # without the empty one
    if lines.count(b"\n") > most_fields:  # the HTTP server behind would take its time for each
        raise Refused(TOO_LARGE)
    if _FIELDS.fullmatch(lines) is None:
        raise Refused(BAD_HEAD)
    split = lines.replace(b"\r\n", b"\n").split(b"\n")[:-1]
    parts = [(*line.partition(b":"), line) for line in split]
    fields = tuple(
        [Field(name.lower(), value.strip(b" \t"), line) for name, _, value, line in parts]
    )
    names = frozenset([field.name for field in fields])
    if not names.isdisjoint(_FRAMING):
        framing = [field for field in fields if field.name in _FRAMING]
        _check_framing(framing, is_old=line[4] == b"0")
    return Head(text, rest, line[2].decode("latin-1"), fields, names)


def _check_framing(fields: Sequence[Field], *, is_old: bool) -> None:
    """One body has one length, or comes in chunks: RFC 9112, section 6.3. Raises `Refused`."""
    name, value, _ = fields[0]
    if len(fields) > 1 or (is_old and name == b"transfer-encoding"):
        raise Refused(AMBIGUOUS)  # two lengths, or one that HTTP/1.0 can't mean
    if name == b"transfer-encoding" and value.lower() != b"chunked":
        raise Refused(OTHER_CODING)
    if name == b"content-length" and not _LENGTH.fullmatch(value):
        raise Refused(BAD_HEAD)


def room_text(target: str) -> str | None:
    """What stands in the place of a room's name in a WebSocket's address; None for any other.

    Percent-encoded UTF-8 is decoded after the path is split, so that `%2f` parts nothing.
    """
    path = _AUTHORITY.sub("", target, count=1) if _AUTHORITY.match(target) else target
    match = _ROOM.fullmatch(path.partition("?")[0])
    if match is None:
        return None
    return unquote_to_bytes(match[1]).decode("utf-8", errors="replace")
