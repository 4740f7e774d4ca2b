"""A service manager is told when the server is ready, that it lives, and when it stops."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from edgechat.cli.notify import ServiceManager
from tests.serving.running import program
from tests.serving.wire import SOON


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Its socket, and the address as it says it."""
    path = str(tmp_path / "notify")
    address = path if request.param == "path" else f"@edgechat-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path if request.param == "path" else f"\0{address[1:]}")
        heard.setblocking(False)
        yield heard, address


async def hear(heard: socket.socket) -> list[str]:
    with trio.fail_after(SOON):
        await trio.lowlevel.wait_readable(heard)
    return heard.recv(4_096).decode().split("\n")


async def test_a_server_says_that_it_is_ready_and_that_it_stops(
    manager: tuple[socket.socket, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, address = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    async with program(tmp_path / "data") as server:
        ready, status = await hear(heard)
        assert (ready, status) == ("READY=1", f"STATUS=Serving at http://127.0.0.1:{server.port}/")
        assert (await server.get("/readyz")).status == 200
        assert await server.stop() == 0
    assert await hear(heard) == ["STOPPING=1"]


async def test_it_says_that_it_lives(
    manager: tuple[socket.socket, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, address = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    async with program(tmp_path / "data"):
        assert (await hear(heard))[0] == "READY=1"
        for _ in range(3):
            assert await hear(heard) == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "vsock:2:1"},
        {"NOTIFY_SOCKET": "/nowhere/at/all"},
        {"NOTIFY_SOCKET": "@nobody-listens-here"},
        {"NOTIFY_SOCKET": "/" + "x" * 500},
        {"NOTIFY_SOCKET": "/dev/null"},
    ],
)
def test_nobody_to_tell(environment: dict[str, str]) -> None:
    ServiceManager(environment).tell("READY=1")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"},
    ],
)
async def test_a_watchdog_that_is_not_for_this_process(environment: dict[str, str]) -> None:
    with trio.fail_after(SOON):
        await ServiceManager(environment).keep_alive()


async def test_the_interval_is_half_of_the_watchdogs(
    autojump_clock: trio.testing.MockClock, manager: tuple[socket.socket, str]
) -> None:
    heard, address = manager
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"}
    with trio.move_on_after(60.5):
        await ServiceManager({**environment, "WATCHDOG_PID": str(os.getpid())}).keep_alive()
    for _ in range(5):
        assert heard.recv(100) == b"WATCHDOG=1"
    with pytest.raises(BlockingIOError):
        heard.recv(100)
