"""Histories on disk keep the promises of a storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.history.syncer import Syncer
from edgechat.settings import Settings
from tests.rooms.storage_contract import *  # noqa: F403
from tests.rooms.storage_contract import Stored


@pytest.fixture(params=["os", "disk"])
async def stored(
    request: pytest.FixtureRequest, tmp_path: Path, nursery: Any
) -> AsyncIterator[Stored]:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    syncer = Syncer(0.0)
    histories = Histories(folder, syncer, Settings(data=folder.path, durability=request.param))
    stored = Stored(histories)
    nursery.start_soon(syncer.run)
    nursery.start_soon(histories.run, stored.take)
    yield stored
    await syncer.flush()
    folder.release()
