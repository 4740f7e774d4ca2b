"""A real engine for each test; without one on this machine they are skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

pytest.importorskip("hiredis", reason="the package hiredis is not there")

from tests.nodes.engine import SERVER, Engine, an_engine


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A Unix socket's path has to be short."""
    with TemporaryDirectory(prefix="ec") as folder:
        yield Path(folder)


@pytest.fixture
async def engine(short_path: Path) -> AsyncIterator[Engine]:
    if SERVER is None:
        pytest.skip("there is no valkey-server or redis-server")
    async with an_engine(short_path / "engine") as running:
        yield running
