"""What a room wants to have stored, and what is said of it where it is not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.history.health import Health
from edgechat.history.journal.commits import pack
from edgechat.history.reader import File
from edgechat.history.room_history import History
from edgechat.history.writer import Writer
from edgechat.rooms.storage import Answer

log = logging.getLogger(__name__)

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


def note(health: Health, key: RoomKey, failure: Exception | None) -> None:
    """Tell the log and `readyz` what works. A history that others changed is not a trouble."""
    place, what = f"private={key.private}", f"Messages in {key} could not be stored"
    if isinstance(failure, HistoryChanged):
        log.error("%s, and the room starts again: %s", what, failure)
    elif isinstance(failure, StorageUnavailable):
        health.failed(place, what, str(failure))
    elif failure is None:
        health.worked(place, what)
