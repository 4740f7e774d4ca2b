"""Histories on disk keep the promises of a storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.settings import Settings
from tests.rooms.storage_contract import *  # noqa: F403
from tests.rooms.storage_contract import Stored


# With 60 s what is read is in memory alone; with 0 it is in the file as soon as anybody looks.
@pytest.fixture(params=[("os", 0.0), ("os", 60.0), ("disk", 0.0), ("disk", 60.0)])
async def stored(
    request: pytest.FixtureRequest, tmp_path: Path, nursery: Any
) -> AsyncIterator[Stored]:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    durability, interval = request.param
    settings = Settings(data=folder.path, durability=durability, sync_interval=interval)
    histories = Histories(folder, settings)
    stored = Stored(histories)
    nursery.start_soon(histories.write_behind)
    nursery.start_soon(histories.run, stored.take)
    yield stored
    await histories.flush()
    folder.release()
