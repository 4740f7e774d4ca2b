"""A real engine for each test; without one on this machine they are skipped."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
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


@pytest.fixture
def free_ports() -> int:
    """The first of three ports in a row that nobody listens on."""
    for first in range(20_000, 30_000, 7):
        with ExitStack() as stack:
            try:
                for port in range(first, first + 3):
                    taken = stack.enter_context(socket.socket())
                    taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no port is free")
