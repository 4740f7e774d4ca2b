"""Where a connection's one request ends, and what is answered where that can't be found."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

import h11
import msgspec

# Hypercorn says by itself that the app has failed: the app's own words are JSON.
EMPTY_500 = re.compile(rb"HTTP/1\.1 500 [^\r]*\r\ncontent-length: 0\r\n")
DEFECT = "This is a defect in the server, which goes on. Try again."
# A status, a code for programs, words for people.
TOO_MANY_PIECES = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "request_entity_too_large",
    "The request's body comes in too many pieces.",
)
BAD_BODY = (HTTPStatus.BAD_REQUEST, "bad_request", "The request's body is not one of HTTP/1.1.")


def whole_answer(status: HTTPStatus, code: str, text: str) -> bytes:
    """One of these as it is sent."""
    body = msgspec.json.encode({"error": text, "code": code}) + b"\n"
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n%b" % (status, status.phrase.encode(), len(body), body)
    )


def whole_defect() -> bytes:
    """What is sent in the place of an empty 500."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return whole_answer(status, status.name.lower(), DEFECT)


def _nothing(data: bytes) -> None:
    """Nobody wants to have it."""


class RequestEnd:
    """Finds where a connection's one request ends.

    What comes behind it is nobody's, a stray CRLF most often (RFC 9112, section 2.2). Hypercorn
    would take it for an error, and close in the middle of its answer.

    A body in chunks of a byte takes some 30 µs for each, here and in Hypercorn: 64 KB of them were
    seconds. So there is a bound for them: beyond it the request `is_in_crumbs`, and is given up.
    """

    def __init__(
        self, head_bytes: int, most_pieces: int, take: Callable[[bytes], None] = _nothing
    ) -> None:
        """`take` gets each part of the body."""
        self.is_over = False
        self.is_wrong = False  # its body breaks the rules of HTTP
        self.is_in_crumbs = False
        self._left = most_pieces
        self._take = take
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=head_bytes)

    def feed(self, data: bytes) -> bytes:
        """What of `data` belongs to the request. All, where it is wrong: Hypercorn says so."""
        self._parser.receive_data(data)
        try:
            while (event := self._parser.next_event()) is not h11.NEED_DATA:
                if type(event) is h11.EndOfMessage:
                    self.is_over = True
                    behind, _ = self._parser.trailing_data
                    return data[: len(data) - len(behind)]
                self._left -= 1
                if self._left < 0:
                    self.is_in_crumbs = True
                    return b""
                if type(event) is h11.Data:
                    self._take(event.data)
        except h11.RemoteProtocolError:
            self.is_wrong = True
        return data
