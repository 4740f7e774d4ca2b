"""`disk` durability with several workers: each begins segments of its own in one journal."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from edgechat.history.journal_reader import collect, parts
from tests.serving.files import check
from tests.serving.running import Running, eventually, serving
from tests.serving.wire import join

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
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    async with serving(copy, workers=3, durability="disk") as server:
        assert segments(copy) == []
        for room in ROOMS:
            said = [line["message"] for line in check(server.file(room))]
            assert said == ["one", "two"], room
        await say_everywhere(server, "three")
    assert {len(check(copy / f"rooms/public/{room}.jsonl")) for room in ROOMS} == {3}


async def test_a_worker_that_was_killed_leaves_what_the_next_start_needs(tmp_path: Path) -> None:
    before = children()
    async with serving(tmp_path, workers=2, durability="disk", journal_age=600.0) as server:
        await say_everywhere(server, "one")
        killed = min(children() - before)
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: killed not in children())
        assert (await server.get("/readyz")).status == 200  # when the next one is there
        await say_everywhere(server, "two")
        contents = collect(parts(tmp_path / "journal"))
        assert not contents.damaged
        assert {len(each.places) for each in contents.rooms.values()} == {2}
    assert len(segments(tmp_path)) == 1  # nobody knows what the killed one had not synced
    async with serving(tmp_path, durability="disk") as server:
        assert segments(tmp_path) == []
        assert {len(check(server.file(room))) for room in ROOMS} == {2}
