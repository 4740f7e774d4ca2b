"""What is stored in a folder, whether in the rooms' files already or in the journal."""

from __future__ import annotations

import json
from pathlib import Path

from edgechat.chat.names import RoomKey
from edgechat.history.journal.view import JournalView


def stored(data: Path, room: str = "lobby") -> bytes:
    """A public room's history: what is in its file, and what the journal adds."""
    view = JournalView(data, key := RoomKey(room, private=False))
    text = (data / "rooms" / "public" / f"{room}.jsonl").read_bytes()
    try:
        seq, h = _place_after(text.splitlines())
    except (IndexError, KeyError, ValueError):  # a test has damaged it
        return text
    return text + b"".join([place.line + b"\n" for place in view.after(key, seq, h)])


def _place_after(lines: list[bytes]) -> tuple[int, bytes]:
    """Where a history goes on that has a header and these lines, of which the last may be junk."""
    last = json.loads(lines[-1] if lines[-1].startswith(b"{") else lines[-2])
    last = last.get("base", last)
    return last["seq"], bytes.fromhex(last["h"])
