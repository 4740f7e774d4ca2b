"""Writes valid history files of any length."""

from __future__ import annotations

import json
from array import array
from pathlib import Path

from bench.history_reader import short_hash

BASE = "0011223344556677"
CREATED = 1_763_880_000_000
WORDS = "and so we talk, all day long, of this and that"


def write_history(path: Path, room: str, lines: int) -> array[int]:
    """Write a whole, valid history; returns where each line begins, and where the last ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"edgechat": 1, "room": room, "created": CREATED, "base": {"seq": 0, "h": BASE}}
    head = json.dumps(header, separators=(",", ":")).encode() + b"\n"
    at, previous, places = len(head), bytes.fromhex(BASE), array("q")
    with path.open("wb", buffering=1 << 20) as file:
        file.write(head)
        for seq in range(1, lines + 1):
            bare = (
                f'{{"seq":{seq},"timestamp":{CREATED + seq * 1000},"name":"n{seq % 50}"'
                f',"message":"{seq} {WORDS}"'
            ).encode()
            previous = short_hash(previous + short_hash(bare + b"}"))
            line = bare + b',"h":"' + previous.hex().encode() + b'"}\n'
            places.append(at)
            at += file.write(line)
    places.append(at)
    return places
