"""Rooms in an engine keep the promises of a storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.nodes.engine import Engine
from tests.nodes.nodes import a_node
from tests.rooms.storage_contract import *  # noqa: F403
from tests.rooms.storage_contract import Stored


@pytest.fixture
async def stored(engine: Engine, tmp_path: Path) -> AsyncIterator[Stored]:
    async with a_node(engine, tmp_path / "data") as node:
        yield node
