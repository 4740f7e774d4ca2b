"""What can go wrong for good. All but `Refused` end the room; it raises them from then on."""

from __future__ import annotations


class RoomError(Exception):
    """Base of all that this client raises by itself."""


class Refused(RoomError):
    """The server refused a message: nothing of it was stored or shown to anyone.

    `code` is one of the protocol's (`message_too_long`, `id_conflict` …), `text` is for a
    person. `retry_after_ms` is there with `rate_limited` only.
    """

    def __init__(self, code: str, text: str, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.retry_after_ms = retry_after_ms


class Rejected(RoomError):
    """EdgeChat answered with HTTP `status`, and would do so again.

    404 is the usual one: no such room. `text` is the server's own. What a gateway or a portal
    answers in its place does not raise this: the client tries again.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class Expelled(RoomError):
    """The server closed the connection with a `code` after which a client must not reconnect.

    `text` is what it said; `error` is the code of the error frame before it, if there was one:
    `name_too_long`, `bad_name` …
    """

    def __init__(self, code: int, text: str, error: str | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.error = error


class Unreachable(RoomError):
    """The room was not joined within `Options.join_within`; the text says what came in between."""
