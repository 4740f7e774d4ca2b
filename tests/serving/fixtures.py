"""Fixtures for tests that talk to a server: each folder of them has a `conftest.py` with these."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.serving.clock import HeldClock
from tests.serving.running import Bystander, Running, bystander, serving


@pytest.fixture
def held_clock() -> Iterator[HeldClock]:
    """Trio's clock of a test that asks for it."""
    clock = HeldClock()
    yield clock
    clock.stop()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def bystanders(server: Running) -> AsyncIterator[Bystander]:
    async with bystander(server) as talk:
        yield talk


@pytest.fixture(autouse=True)
def no_defect(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What the server calls a defect of its own fails every test, and so does a traceback."""
    with caplog.at_level(logging.INFO):
        yield
    for record in caplog.get_records("call"):
        assert "defect" not in record.getMessage(), record.getMessage()
        assert record.exc_info is None, record.getMessage()
