"""Pages stop at their budget, from the end that is read; nothing in a file costs without bound."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import BinaryIO

import pytest
import trio

from edgechat import system
from edgechat.chat.line import Entry, chain
from edgechat.chat.names import RoomKey
from edgechat.history import reader, repair
from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.history.id_scan import read_ids
from edgechat.history.reader import File
from edgechat.history.verify import verify
from edgechat.settings import Settings
from tests.serving.files import header, make_lines, write
from tests.serving.wire import SOON

MB = 1 << 20
HOLE = 80 * MB
LINES = make_lines(2_000, ids=True, text="x" * 40)


@contextmanager
def history(path: Path) -> Iterator[File]:
    fd = system.open(path, system.O_RDWR | system.O_APPEND)
    try:
        repair.mend(fd, path, repair.longest_write(Settings()))
        yield repair.open_file(fd)
    finally:
        system.close(fd)


@pytest.mark.parametrize("most_bytes", [1, 20_000, 100_000, 300_000])
def test_pages_stop_at_their_bytes(
    tmp_path: Path, most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashed is what is sent, and not the 8 MB that 1,000 long lines have."""
    long = make_lines(1_200, text="y" * 8_000)
    write(tmp_path / "lobby.jsonl", long)
    hashed: list[bytes] = []

    def counted(previous: bytes, line: bytes) -> bytes:
        hashed.append(line)
        return chain(previous, line)

    monkeypatch.setattr("edgechat.history.chain_reader.chain", counted)
    with history(tmp_path / "lobby.jsonl") as file:
        for seq in (1_201, 700, 2):
            hashed.clear()
            before = reader.read_before(file, seq, 1_000, most_bytes)
            assert [entry.line for entry in before] == long[seq - 1 - len(before) : seq - 1]
            assert len(before) == max(1, min(most_bytes // len(long[-1]), seq - 1))
            assert len(hashed) <= len(before) + 30
            hashed.clear()
            after = reader.read(file, seq - 2, 1_000, most_bytes)
            assert 1 <= len(after) <= 1 + most_bytes // len(long[-1])
            assert len(hashed) <= len(after) + 30


def a_hole(file: BinaryIO) -> None:
    file.seek(HOLE, 1)


def rubbish(data: bytes, size: int = 16 * MB) -> Callable[[BinaryIO], None]:
    def fill(file: BinaryIO) -> None:
        for _ in range(size // MB):
            file.write(data * (MB // len(data)))

    return fill


FILLS = {
    "hole": a_hole,
    "one line": rubbish(b"x", HOLE),
    "blanks": rubbish(b" "),
    "short lines": rubbish(b"xy\n"),
    "zeros and lines": rubbish(bytes(99) + b"\n"),
}


@pytest.mark.parametrize("fill", FILLS)
def test_a_stretch_without_a_line_costs_bounded_time_and_memory(tmp_path: Path, fill: str) -> None:
    path = tmp_path / "lobby.jsonl"
    with path.open("wb") as made:
        made.write(header("lobby") + b"".join(line + b"\n" for line in LINES[:1_000]))
        FILLS[fill](made)
        made.write(b"".join(line + b"\n" for line in LINES[1_000:]))
    started = process_time()
    tracemalloc.start()
    with history(path) as file:
        found = repair.open_history(file, 1_000, 128 * 1024)
        assert found.head.seq == 2_000
        pages: list[tuple[list[Entry], int]] = [
            (reader.read(file, 990, 20, MB), 990),
            (reader.read(file, 1_500, 20, MB), 1_500),
            (reader.read_before(file, 1_011, 20, MB), 990),
            (reader.read_before(file, 1_901, 20, MB), 1_880),
        ]
        for page, after in pages:
            assert [entry.line for entry in page] == LINES[after : after + 20]
        assert len(read_ids(file, 0)) == 2_000
    report = verify(path, "lobby", "lobby", lambda size: None)
    assert (report.lines, report.lost) == (2_000, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MB
    assert process_time() - started < 60  # it was square: minutes for a page


@pytest.mark.parametrize("fill", ["hole", "one line"])
def test_a_file_of_nothing_else(tmp_path: Path, fill: str) -> None:
    path = tmp_path / "lobby.jsonl"
    with path.open("wb") as made:
        FILLS[fill](made)
        made.truncate()
    report = verify(path, "lobby", "lobby", lambda size: None)
    assert report.refusal == "it is not a history"


async def test_pages_wait_for_a_thread_of_their_own_and_nobody_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one page takes long, others wait, but rooms open, look up ids and store."""
    write(tmp_path / "rooms" / "public" / "lobby.jsonl", LINES)
    folder = DataFolder(tmp_path)
    folder.prepare()
    settings = Settings(data=tmp_path, durability="disk")
    histories = Histories(folder, settings)
    log = await histories.open(RoomKey("lobby", private=False))
    may_go_on, at_once, going_on = threading.Event(), 0, 0

    def slow(*_: object) -> list[Entry]:
        nonlocal at_once, going_on
        going_on += 1
        at_once = max(at_once, going_on)
        may_go_on.wait(SOON)
        going_on -= 1
        return []

    monkeypatch.setattr(reader, "read", slow)
    monkeypatch.setattr(reader, "read_before", slow)
    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            for _ in range(60):  # more than there are threads for all else
                nursery.start_soon(log.after, 0, 10)
                nursery.start_soon(log.before, 9, 10)
            await trio.testing.wait_all_tasks_blocked()
            assert len(await log.ids(2_000)) == 2_000
            other = await histories.open(RoomKey("other", private=False))
            other.close()
            may_go_on.set()
    assert at_once == settings.history_threads == 1
    log.close()
    folder.release()


def test_single_lines_are_found_and_damaged_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lobby.jsonl"
    write(path, [*LINES[:99], LINES[99].replace(b"alice", b"malic"), *LINES[100:]])
    with history(path) as file:
        found = reader.read_lines(file, [2_000, 1, 100, 7, 2_001])
    assert found == {seq: LINES[seq - 1] for seq in (2_000, 1, 7)}
