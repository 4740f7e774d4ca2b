"""What a room wants to have stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgechat.history.journal_record import pack
from edgechat.history.reader import File
from edgechat.history.room_history import History
from edgechat.history.writer import Writer
from edgechat.rooms.storage import Answer

# Lines of one room, of which nobody knows yet: its history and that one's writer, the new file that
# they are in already, and what the room knows them by. A plain tuple is made faster than a class.
Submission = tuple[History, Writer, Sequence[bytes], File | None, Any]


def refuse(submission: Submission, failure: Exception) -> Answer:
    """It is not stored."""
    _, writer, _, created, ticket = submission
    if created is not None:
        writer.discard(created)
    return ticket, failure


def pack_all(batch: Sequence[Submission]) -> bytes:
    """What goes into the journal."""
    records: list[bytes] = []
    for _, writer, lines, created, _ in batch:
        place = writer.record_place
        if created is not None:
            records.append(place + writer.header())
        for line in lines:
            records.append(place + line)
    return pack(records)
