"""SIGHUP: limits hold without a restart."""

from __future__ import annotations

import json
import logging
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from edgechat.cli.reload import Reload
from edgechat.settings import RELOADABLE, Settings
from tests.serving.running import Program, eventually, program
from tests.serving.talking import said
from tests.serving.wire import join


def test_limits_are_taken_and_the_rest_is_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    start = Settings()
    read = [
        replace(start, max_rooms=7, port=1, hosts=("::1",)),
        replace(start, max_rooms=7, port=1, message_interval=2.0),
        replace(start, max_rooms=7, message_interval=2.0),
    ]
    reload = Reload(start, lambda: read.pop(0))
    assert reload() == replace(start, max_rooms=7)
    assert reload() == replace(start, max_rooms=7, message_interval=2.0)
    assert reload() == replace(start, max_rooms=7, message_interval=2.0)
    assert [each.getMessage() for each in caplog.records] == [
        "Reloaded: max-rooms is 7",
        "Changed, but only a restart takes it: host, port",
        "Reloaded: message-interval is 2.0",
        "Changed, but only a restart takes it: port",
        "Reloaded: no limit has changed",
    ]


def test_a_file_that_is_wrong_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> Settings:
        raise click.UsageError("x.toml, line 1: broken")

    assert Reload(Settings(), read)() is None
    assert caplog.messages == ["The settings stay as they are: x.toml, line 1: broken"]


def events(server: Program) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (server.data / "server.log").read_text().splitlines()]


async def reloaded(server: Program, times: int, text: str) -> None:
    server.process.send_signal(signal.SIGHUP)
    await eventually(lambda: [each["message"] for each in events(server)].count(text) == times)


async def test_a_server_that_runs(tmp_path: Path) -> None:
    """One message in 1,000 s, then a hundred, then one again, on a connection that is open."""
    file = tmp_path / "edgechat.toml"
    file.write_text("message-grace = 0\nmax-opened-per-minute = 0\n")
    options = ("--config", str(file), "--message-interval", "1000")
    async with program(tmp_path / "data", *options) as server:
        alice = await join(server.port, "alice")
        assert "seq" in await said(alice, "one")
        assert (await said(alice, "two"))["code"] == "rate_limited"
        file.write_text("message-grace = 100000\nroom-idle = 9\n")
        await reloaded(
            server, 1, "Reloaded: message-grace is 100000.0, max-opened-per-minute is 120"
        )
        for n in range(20):
            assert "seq" in await said(alice, f"more {n}")
        file.write_text("message-grace = x\n")
        stay = f"The settings stay as they are: {file}, line 1: not TOML: Invalid value."
        await reloaded(server, 1, stay)
        assert "seq" in await said(alice, "still")
        file.write_text("message-grace = 0\nmax-rooms = 1\n")
        server.process.send_signal(signal.SIGHUP)
        await eventually(lambda: "max-rooms is 1" in (server.data / "server.log").read_text())
        assert (await said(alice, "last"))["code"] == "rate_limited"
        answer = await server.get("/api/room/another")
        assert answer.status == 503
        assert await server.stop() == 0
    levels = {each["message"].split(":")[0]: each["level"] for each in events(server)}
    assert levels["The settings stay as they are"] == "error"
    assert levels["Changed, but only a restart takes it"] == "warning"


async def test_without_a_file_it_stops(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        assert await server.stop(signal.SIGHUP) == 0
        assert events(server)[-1]["message"] == "Stopped."


def test_each_limit_that_is_reloaded_is_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rows = text.split("\n| reloaded | |\n")[1].split("\n\n")[0]
    for name in RELOADABLE:
        assert f"`{name.replace('_', '-')}`" in rows
    assert rows.count("`") == 2 * len(RELOADABLE)
