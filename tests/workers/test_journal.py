"""The journal with several workers: each begins segments of its own in one folder."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from edgechat.settings import Settings
from edgechat.workers import front
from tests.serving.files import check
from tests.serving.running import QUICK, Running, eventually, serving
from tests.serving.wire import SOON, Wire, join

from .processes import children

ROOMS = [f"room{n}" for n in range(8)]


def segments(data: Path) -> list[Path]:
    return sorted((data / "journal").iterdir()) if (data / "journal").exists() else []


async def say_everywhere(server: Running, text: str) -> None:
    for room in ROOMS:
        wire = await join(server.port, "alice", room)
        await wire.say(text)
        await wire.until("message", text)
        wire.close()


async def test_what_a_power_loss_took_is_put_back_whatever_the_number_of_workers(
    tmp_path: Path,
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    async with serving(data, workers=2, durability="disk", journal_age=600.0) as server:
        await say_everywhere(server, "one")
        await say_everywhere(server, "two")
        assert len(segments(data)) == 2
        shutil.copytree(data, copy)
    assert segments(data) == []
    for room in ROOMS:
        file = copy / f"rooms/public/{room}.jsonl"
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    async with serving(copy, workers=3, durability="disk") as server:
        assert segments(copy) == []
        for room in ROOMS:
            said = [line["message"] for line in check(server.stored(room))]
            assert said == ["one", "two"], room
        await say_everywhere(server, "three")
    assert {len(check(copy / f"rooms/public/{room}.jsonl")) for room in ROOMS} == {3}


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_what_was_said_in_a_killed_worker_is_there_in_the_next_one(
    tmp_path: Path, durability: str
) -> None:
    """It had not come to the rooms' files yet: whoever has the rooms next puts it there."""
    before = children()
    async with serving(
        tmp_path, workers=2, durability=durability, journal_age=600.0, sync_interval=600.0
    ) as server:
        for text in ("one", "two"):  # the first makes the file, and is in it at once
            await say_everywhere(server, text)
        assert {len(check(server.file(room))) for room in ROOMS} == {1}
        killed = min(children() - before)
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: killed not in children())
        with trio.fail_after(2 * SOON):
            while (await server.get("/readyz")).status != 200:  # the next one is not there yet
                pass
        assert sorted(len(check(server.file(room))) for room in ROOMS)[-1] == 2
        assert len(segments(tmp_path)) == 1  # the other worker's
        await say_everywhere(server, "three")
    assert segments(tmp_path) == []
    for room in ROOMS:
        said = [line["message"] for line in check(server.file(room))]
        assert said == ["one", "two", "three"], room


async def test_rooms_that_are_handed_on_have_all_that_was_said(tmp_path: Path) -> None:
    """Fresh workers take the place of those that run: their rooms' files are written before."""
    tell, changes = trio.open_memory_channel[Settings](1)
    slow: dict[str, Any] = {"journal_age": 600.0, "sync_interval": 600.0}
    settings = Settings(data=tmp_path, workers=2, **{**QUICK, **slow})
    before, stop = children(), trio.Event()
    async with trio.open_nursery() as nursery:
        url = await nursery.start(front.serve, settings, stop, changes)
        server = Running(int(url.rstrip("/").rpartition(":")[2]), tmp_path)
        first = children() - before
        for text in ("one", "two"):
            await say_everywhere(server, text)
        await tell.send(settings)
        with trio.fail_after(5 * SOON):  # one starts after the other
            while first & children():
                await trio.testing.wait_all_tasks_blocked(0.05)
        assert {len(check(server.file(room))) for room in ROOMS} == {2}
        await say_everywhere(server, "three")
        Wire.close_all()
        stop.set()
    assert segments(tmp_path) == []
    for room in ROOMS:
        said = [line["message"] for line in check(server.file(room))]
        assert said == ["one", "two", "three"], room
