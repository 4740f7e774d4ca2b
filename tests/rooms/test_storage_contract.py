"""The storage in memory that the rooms' tests use keeps the promises of a real one."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from edgechat.settings import Settings

from .fakes import FakeStorage
from .storage_contract import *  # noqa: F403
from .storage_contract import Stored


@pytest.fixture
async def stored(nursery: Any) -> Stored:
    storage = FakeStorage(Settings())
    stored = Stored(storage)
    nursery.start_soon(storage.run, stored.take)
    await trio.lowlevel.checkpoint()
    return stored
