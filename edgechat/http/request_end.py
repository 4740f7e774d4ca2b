"""Where a connection's one request ends, and what is answered where that can't be found."""

from __future__ import annotations

from http import HTTPStatus

import h11
import msgspec


def _answer(status: HTTPStatus, code: str, text: str) -> bytes:
    body = msgspec.json.encode({"error": text, "code": code}) + b"\n"
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n%b" % (status, status.phrase.encode(), len(body), body)
    )


TOO_MANY_PIECES = _answer(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "request_entity_too_large",
    "The request's body comes in too many pieces.",
)
BAD_BODY = _answer(
    HTTPStatus.BAD_REQUEST, "bad_request", "The request's body is not one of HTTP/1.1."
)


class RequestEnd:
    """Finds where a connection's one request ends.

    What comes behind it is nobody's, a stray CRLF most often (RFC 9112, section 2.2). Hypercorn
    would take it for an error, and close in the middle of its answer.

    A body in chunks of a byte takes some 30 µs for each, here and in Hypercorn: 64 KB of them were
    seconds. So there is a bound for them: beyond it the request `is_in_crumbs`, and is given up.
    """

    def __init__(self, head_bytes: int, most_pieces: int) -> None:
        self.is_over = False
        self.is_wrong = False  # its body breaks the rules of HTTP
        self.is_in_crumbs = False
        self._left = most_pieces
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
        except h11.RemoteProtocolError:
            self.is_wrong = True
        return data
