"""What `edgechat doctor` found out about one thing."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, omit_defaults=True, frozen=True):
    """`do` is there where something is not as it should be."""

    level: Literal["ok", "warning", "error"]
    what: str
    do: str = ""


def ok(what: str) -> Finding:
    """All is well with it."""
    return Finding("ok", what)


def warning(what: str, do: str) -> Finding:
    """It works today."""
    return Finding("warning", what, do)


def error(what: str, do: str) -> Finding:
    """It does not work, or a secret is out."""
    return Finding("error", what, do)
