"""What stands behind the question mark of an address."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from quart import request

from edgechat.http.errors import Wrong

_MAX_DIGITS = 15  # of a number in an address: all of them are exact in a browser


def text(name: str) -> str | None:
    """A parameter of the query; None where it is not there. Raises `Wrong` if it is twice."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise bad_request(f"{name} must be given once only.")
    if values and not _is_utf8(request.query_string):
        raise bad_request("The address is not UTF-8.")
    return values[0] if values else None


def number(name: str) -> int | None:
    """A number of the query; None where it is not there. Raises `Wrong`."""
    value = text(name)
    if value is not None and not is_number(value):
        raise bad_request(
            f"{name} must be a whole number of at most {_MAX_DIGITS} digits, like {name}=100."
        )
    return None if value is None else int(value)


def is_number(value: str) -> bool:
    """Whether it is a whole number that a browser has exactly."""
    return value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS


def _is_utf8(query: bytes) -> bool:
    """What is not would be left as it is, with its percent signs."""
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return True


def bad_request(words: str) -> Wrong:
    """A request that makes no sense."""
    return Wrong(HTTPStatus.BAD_REQUEST, "bad_request", words)
