"""History files, made and checked without the code that makes and checks them."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

HEADER = b'{"edgechat":1,"room":"lobby","created":1763880000000,"base":{"seq":0,"h":"%s"}}\n'
BASE = b"0011223344556677"
TAIL = len(',"h":"0123456789abcdef"}')


def header(room: str, base: bytes = BASE) -> bytes:
    """A room's header, with its newline."""
    return (HEADER % base).replace(b"lobby", room.encode())


def chain(previous: str, line: bytes) -> str:
    """The `h` of a line, as `docs/protocol.md` says it."""
    digest = blake2b(line[:-TAIL] + b"}", digest_size=8).digest()
    return blake2b(bytes.fromhex(previous) + digest, digest_size=8).hexdigest()


def make_lines(
    count: int, text: str = "", ids: bool = False, now: int = 1_763_880_000_000
) -> list[bytes]:
    """So many good lines, without newlines."""
    lines = []
    h = BASE.decode()
    for seq in range(1, count + 1):
        id = f',"id":"c{seq}"' if ids else ""
        stamp = now + seq
        body = f'{{"seq":{seq},"timestamp":{stamp},"name":"alice","message":"{seq} {text}"{id}'
        h = chain(h, body.encode() + b"}" + b" " * (TAIL - 1))
        lines.append(f'{body},"h":"{h}"}}'.encode())
    return lines


def rechained(lines: list[bytes]) -> list[bytes]:
    """These lines, each with the `h` that it must have there."""
    h, made = BASE.decode(), []
    for line in lines:
        h = chain(h, line)
        made.append(line[:-18] + h.encode() + b'"}')
    return made


def write(path: Path, lines: list[bytes], room: str = "") -> bytes:
    """A whole history, of the room that the file is named for; returns what is in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = header(room or path.stem) + b"".join(line + b"\n" for line in lines)
    path.write_bytes(data)
    return data


def check(history: Path | bytes) -> list[dict[str, Any]]:
    """A whole history's messages; fails on a torn, damaged, missing or repeated line."""
    data = history if isinstance(history, bytes) else history.read_bytes()
    assert data.endswith(b"\n")
    first, *lines = data.splitlines()
    h = json.loads(first)["base"]["h"]
    messages: list[dict[str, Any]] = []
    for seq, line in enumerate(lines, 1):
        message = json.loads(line)
        assert message["seq"] == seq
        assert message["h"] == chain(h, line)
        assert not messages or message["timestamp"] > messages[-1]["timestamp"]
        h = message["h"]
        messages.append(message)
    return messages
