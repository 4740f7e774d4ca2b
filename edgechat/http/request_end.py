"""Where a request ends, and what is answered to one whose body can't be told from what follows."""

from __future__ import annotations

import h11
import msgspec

_TEXT = msgspec.json.encode(
    {"error": "The request's body is not one of HTTP/1.1.", "code": "bad_request"}
)
BAD_BODY = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b" % (len(_TEXT), _TEXT)
)


class RequestEnd:
    """Finds where a connection's one request ends.

    What comes behind it is nobody's, a stray CRLF most often (RFC 9112, section 2.2). Hypercorn
    would take it for an error, and close in the middle of its answer.
    """

    def __init__(self, head_bytes: int) -> None:
        self.is_over = False
        self.is_wrong = False  # its body breaks the rules of HTTP
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
        except h11.RemoteProtocolError:
            self.is_wrong = True
        return data
