"""RESP3, the engine's side: replies and pushes as bytes (https://valkey.io/topics/protocol/)."""

from __future__ import annotations

from typing import NamedTuple


class Status(NamedTuple):
    """A simple string."""

    text: str


class Error(NamedTuple):
    """An error, which begins with its code."""

    text: str


class Text(NamedTuple):
    """A verbatim string."""

    text: str


class Push(NamedTuple):
    """What nobody asked for, or the answer to a subscription."""

    parts: tuple[object, ...]


def encode(reply: object) -> bytes:
    """A reply as it goes over the connection."""
    match reply:
        case None:
            return b"_\r\n"
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case int():
            return b":%d\r\n" % reply
        case float():
            return f",{reply:.17g}\r\n".encode()
        case Status(text):
            return f"+{text}\r\n".encode()
        case Error(text):
            return f"-{text}\r\n".encode()
        case Text(text):
            data = text.encode()
            return b"=%d\r\ntxt:%b\r\n" % (len(data) + 4, data)
        case Push(parts):
            return b">%d\r\n" % len(parts) + b"".join(map(encode, parts))
        case list():
            return b"*%d\r\n" % len(reply) + b"".join(map(encode, reply))
        case dict():
            pairs = b"".join(encode(key) + encode(value) for key, value in reply.items())
            return b"%%%d\r\n" % len(reply) + pairs
    raise TypeError(reply)
