"""Signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over the id, the time and the body."""

from __future__ import annotations

import base64
import binascii
import hmac

PREFIX = "whsec_"
SECRET_BYTES = 32
_LEAST, _MOST = 24, 64  # bytes: Standard Webhooks 1.0, "Signature scheme"


class BadSecret(Exception):
    """That can't be a webhook's secret. Its text says why, for a person, and does not have it."""


def write_secret(key: bytes) -> str:
    """A secret as people copy it to the receiver: `whsec_` and base64."""
    return PREFIX + base64.b64encode(key).decode()


def parse_secret(text: str) -> bytes:
    """The key in such a text, 24 to 64 bytes. Raises `BadSecret`."""
    try:
        key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _LEAST <= len(key) <= _MOST:
        raise BadSecret(
            f"A webhook's secret is {PREFIX} and {_LEAST} to {_MOST} bytes in base64, like the "
            f"output of: echo {PREFIX}$(openssl rand -base64 {SECRET_BYTES})"
        )
    return key


def sign(key: bytes, id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`. `timestamp` is Unix time in seconds."""
    signed = b"%b.%d.%b" % (id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
