"""Frames as a server sends them, for the tests of the rules."""

from __future__ import annotations

import json
from typing import Any

from edgechat.client.events import Message


def h_of(seq: int, history: int = 0) -> str:
    """A stand-in for the chain's hash: tells lines and histories apart."""
    return f"{history:04x}{seq:012x}"


def line(seq: int, text: str = "hi", name: str = "bob", id: str | None = None, **more: Any) -> str:
    keys = {"seq": seq, "timestamp": 1_000 + seq, "name": name, "message": text}
    return json.dumps({**keys, **({"id": id} if id else {}), "h": h_of(seq), **more})


def message(seq: int, text: str = "hi", name: str = "bob", id: str | None = None) -> Message:
    return Message(seq, 1_000 + seq, name, text, h_of(seq), id)


def ready(seq: int, recovered: bool | None = None, **more: Any) -> str:
    frame: dict[str, Any] = {"ready": True, "room": "lobby", "seq": seq, "h": h_of(seq)}
    frame |= {"members": 2, "limits": {"message_chars": 20, "name_chars": 32}}
    if recovered is not None:
        frame["recovered"] = recovered
    return json.dumps(frame | more)


def refusal(code: str, id: str | None = None, **more: Any) -> str:
    return json.dumps({"error": "No.", "code": code, **({"id": id} if id else {}), **more})
