"""A room with a past: a history file, written as docs/protocol.md has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

Said = tuple[int, str, str]  # the time in ms, the name, the text


def digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def compact(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def write_past(data: Path, room: str, said: Iterable[Said]) -> None:
    h = bytes(8)
    base = {"seq": 0, "h": h.hex()}
    lines = [compact({"edgechat": 1, "room": room, "created": 0, "base": base})]
    for seq, (timestamp, name, text) in enumerate(said, 1):
        body = compact({"seq": seq, "timestamp": timestamp, "name": name, "message": text})
        h = digest(h + digest(body))
        lines.append(b'%b,"h":"%b"}' % (body[:-1], h.hex().encode()))
    file = data / "rooms" / "public" / f"{room}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\n".join([*lines, b""]))
