"""Recovers all that an earlier server left in the journal, before anything else is done."""

from __future__ import annotations

from edgechat.history.data_folder import DataFolder, DataFolderError, sync_folder
from edgechat.history.journal.file_syncer import AT_ONCE
from edgechat.history.journal.journal import Journal
from edgechat.history.reopening import reason
from edgechat.settings import Settings


def recover(journal: Journal) -> None:
    """Start it, and bring every file up to what it has. Synchronous: for a worker thread.

    The segments of which nothing is needed any more are removed. Raises `OSError`.
    """
    journal.start()
    if not journal.segments:
        return
    while journal.doubts.recover_some(AT_ONCE):
        pass
    journal.doubts.tell_recovered()
    for segment in [one for one in journal.segments if not one.covers]:
        segment.remove()
        journal.segments.remove(segment)
    sync_folder(journal.path)


def recover_all(folder: DataFolder, settings: Settings) -> None:
    """The same, before several processes share the folder.

    Raises `DataFolderError` where not all can be recovered. One process alone would refuse those
    rooms only; several can't tell each other which they are.
    """
    journal = Journal(folder, settings)
    try:
        recover(journal)
    except OSError as error:
        text = f"The journal in {folder.path} can't be read: {reason(error)}."
        raise DataFolderError(text) from None
    if journal.segments:
        raise DataFolderError(
            f"Not every history in {folder.path} could be recovered from the journal: the log says "
            "which. Mend what it says, or start with --workers 1."
        )
