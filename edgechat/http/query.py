"""What stands behind the question mark of an address."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

from quart import request

from edgechat.http.errors import Wrong

_MAX_DIGITS = 15  # of a number in an address: all of them are exact in a browser


class Query(NamedTuple):
    """The parameters of one request, as they came."""

    raw: bytes

    def text(self, name: str) -> str | None:
        """A parameter; None where it is not there. Raises `Wrong` if it is twice."""
        if not self.raw:
            return None
        pairs = parse_qsl(self.raw.decode("latin-1"), keep_blank_values=True)
        values = [value for key, value in pairs if key == name]
        if len(values) > 1:
            raise bad_request(f"{name} must be given once only.")
        if values and not self._is_utf8():
            raise bad_request("The address is not UTF-8.")
        return values[0] if values else None

    def number(self, name: str) -> int | None:
        """A number; None where it is not there. Raises `Wrong`."""
        value = self.text(name)
        if value is not None and not is_number(value):
            raise bad_request(
                f"{name} must be a whole number of at most {_MAX_DIGITS} digits, like {name}=100."
            )
        return None if value is None else int(value)

    def _is_utf8(self) -> bool:
        """What is not would be read as something that nobody meant."""
        try:
            unquote_to_bytes(self.raw).decode()
        except UnicodeDecodeError:
            return False
        return True


def text(name: str) -> str | None:
    """`Query.text` of the request that Quart is answering."""
    return Query(request.query_string).text(name)


def number(name: str) -> int | None:
    """`Query.number` of the request that Quart is answering."""
    return Query(request.query_string).number(name)


def is_number(value: str) -> bool:
    """Whether it is a whole number that a browser has exactly."""
    return value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS


def bad_request(words: str) -> Wrong:
    """A request that makes no sense."""
    return Wrong(HTTPStatus.BAD_REQUEST, "bad_request", words)
