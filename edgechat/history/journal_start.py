"""Recovers what an earlier server left in the journal, before several processes share it."""

from __future__ import annotations

from edgechat.history.data_folder import DataFolder, DataFolderError
from edgechat.history.journal import Journal
from edgechat.history.reopening import reason
from edgechat.settings import Settings


def recover_all(folder: DataFolder, settings: Settings) -> None:
    """Synchronous: for a worker thread. Raises `DataFolderError` where not all can be recovered.

    One process alone would refuse those rooms only; several can't tell each other which they are.
    """
    journal = Journal(folder, settings)
    try:
        journal.start()
    except OSError as error:
        text = f"The journal in {folder.path} can't be read: {reason(error)}."
        raise DataFolderError(text) from None
    if journal.segments:
        raise DataFolderError(
            f"Not every history in {folder.path} could be recovered from the journal: the log says "
            "which. Mend what it says, or start with --workers 1."
        )
