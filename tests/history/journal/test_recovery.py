"""What a start puts back from the journal, what it puts aside, and that it may be cut short."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import DataFolder
from edgechat.history.journal import doubts, recovery
from edgechat.history.journal.commits import SegmentHeader, pack, pack_header, place_of
from edgechat.history.journal.journal import Journal
from edgechat.history.journal.start import recover
from edgechat.settings import Settings
from tests.serving.files import BASE, HEADER, make_lines, write

KEY = RoomKey("lobby", private=False)
LINES = make_lines(9)
OTHER = make_lines(9, "another", now=1_800_000_000_000)
FIRST = HEADER[:-1] % BASE


class Crashed(BaseException):
    """The process ended."""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """The file of a room in which nothing was said."""
    DataFolder(tmp_path).prepare()
    return tmp_path / "rooms/public/lobby.jsonl"


def commits(lines: Sequence[bytes]) -> bytes:
    """A commit for each."""
    return b"".join([pack([place_of(KEY) + line]) for line in lines])


def journal(
    data: Path, *segments: Sequence[bytes], ends: dict[str, int] | None = None
) -> list[Path]:
    """A journal with the lobby's lines. `ends` is what the last one says of those before."""
    (data / "journal").mkdir(exist_ok=True)
    paths = []
    for number, lines in enumerate(segments, 1):
        before = ends if ends and number == len(segments) else {}
        path = data / f"journal/{number:08}.log"
        path.write_bytes(pack_header(SegmentHeader(number, before)) + commits(lines))
        paths.append(path)
    return paths


def start(data: Path) -> Journal:
    started = Journal(DataFolder(data), Settings(data=data))
    recover(started)
    return started


def stored(room: Path) -> list[bytes]:
    return room.read_bytes().splitlines()[1:]


def aside(room: Path) -> list[bytes]:
    return [line for path in room.parent.glob("*.aside") for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("has", range(10))
def test_what_the_file_lacks_is_appended(tmp_path: Path, room: Path, has: int) -> None:
    write(room, LINES[:has])
    journal(tmp_path, [FIRST, *LINES[:4]], LINES[4:])
    counts = start(tmp_path).counts
    assert stored(room) == LINES
    assert (counts.recovered_lines, counts.aside_lines) == (9 - has, 0)
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.parametrize("zeros", [0, 30])
@pytest.mark.parametrize("left", [*range(110), 300])
def test_a_file_that_was_torn(tmp_path: Path, room: Path, left: int, zeros: int) -> None:
    whole = write(room, LINES)
    room.write_bytes(whole[:left] + bytes(zeros))
    journal(tmp_path, [FIRST, *LINES])
    start(tmp_path)
    assert room.read_bytes() == whole


@pytest.mark.parametrize("place", [0, 100, 300, 500])
def test_a_hole_of_zeros_in_what_was_not_synced(tmp_path: Path, room: Path, place: int) -> None:
    whole = write(room, LINES)
    room.write_bytes(whole[:place] + bytes(200) + whole[place + 200 :])
    journal(tmp_path, [FIRST, *LINES])
    start(tmp_path)
    assert room.read_bytes() == whole
    assert aside(room) == []


def test_a_hole_that_the_journal_cannot_fill_stays(tmp_path: Path, room: Path) -> None:
    whole = write(room, LINES)
    damaged = whole[:300] + bytes(100) + whole[400:]
    room.write_bytes(damaged)
    journal(tmp_path, LINES[7:])
    start(tmp_path)
    assert room.read_bytes() == damaged


def test_a_file_that_was_removed_is_not_made_again(tmp_path: Path, room: Path) -> None:
    journal(tmp_path, [FIRST, *LINES])
    assert start(tmp_path).counts.aside_lines == 9
    assert not room.exists()
    assert aside(room) == LINES


def test_a_file_that_was_replaced_is_left_alone(
    tmp_path: Path, room: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = write(room, OTHER[:3])
    journal(tmp_path, [FIRST, *LINES])
    start(tmp_path)
    assert room.read_bytes() == before
    assert aside(room) == LINES
    assert "put aside" in caplog.text


def test_a_newer_file_is_left_alone(tmp_path: Path, room: Path) -> None:
    before = write(room, LINES)
    journal(tmp_path, LINES[2:5])
    start(tmp_path)
    assert room.read_bytes() == before
    assert aside(room) == []


def test_a_file_restored_from_a_backup_too_old_to_go_on(tmp_path: Path, room: Path) -> None:
    before = write(room, LINES[:3])
    journal(tmp_path, LINES[4:])
    start(tmp_path)
    assert room.read_bytes() == before
    assert aside(room) == LINES[4:]


def test_what_was_said_after_a_file_was_restored_comes_first(tmp_path: Path, room: Path) -> None:
    """Lines 5 to 9 were said; then the file was restored from a backup with 4, and line 5 said."""
    write(room, LINES[:4])
    new = _line_after(LINES[3])
    journal(tmp_path, LINES[4:], [new])
    start(tmp_path)
    assert stored(room) == [*LINES[:4], new]
    assert aside(room) == LINES[4:]


def test_what_was_refused_is_not_put_back(tmp_path: Path, room: Path) -> None:
    write(room, LINES[:4])
    end = len(pack_header(SegmentHeader(1)) + commits(LINES[4:6]))
    journal(tmp_path, LINES[4:], [], ends={"1": end})
    start(tmp_path)
    assert stored(room) == LINES[:6]


@pytest.mark.parametrize("left", [0, 1, 20, 60, 150, -1])
def test_a_torn_journal(tmp_path: Path, room: Path, left: int) -> None:
    """What is torn was shown to nobody."""
    write(room, LINES[:4])
    first, last = journal(tmp_path, LINES[4:6], LINES[6:])
    last.write_bytes(last.read_bytes()[:left] + bytes(50))
    start(tmp_path)
    assert stored(room) == LINES[: len(stored(room))]
    assert len(stored(room)) >= 6
    assert not first.exists()


def test_a_damaged_commit_is_said_and_hides_no_other(
    tmp_path: Path, room: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(room, LINES[:6])
    (path,) = journal(tmp_path, LINES[4:6])
    data = path.read_bytes().replace(b'"seq":5', b'"seq":6', 1)
    path.write_bytes(data + commits(LINES[6:]))
    start(tmp_path)
    assert "1 commits of the journal are damaged" in caplog.text
    assert stored(room) == LINES


@pytest.mark.parametrize("place", [b"public ../../key", b"public a/b", b"private zz"])
def test_a_record_of_no_room(tmp_path: Path, room: Path, place: bytes) -> None:
    (path,) = journal(tmp_path, [])
    path.write_bytes(path.read_bytes() + pack([place + b" " + line for line in LINES]))
    before = {found for found in tmp_path.rglob("*") if "journal" not in str(found)}
    start(tmp_path)
    assert {found for found in tmp_path.rglob("*") if "journal" not in str(found)} == before


def test_a_start_that_is_killed_at_any_call_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for doomed in range(200):
        data = tmp_path / str(doomed)
        folder = DataFolder(data)
        folder.prepare()
        room = data / "rooms/public/lobby.jsonl"
        whole = write(room, LINES[:8])
        room.write_bytes(whole[:400] + bytes(40) + whole[440:])
        journal(data, [*OTHER[6:], FIRST, *LINES[:4]], LINES[4:])
        with monkeypatch.context() as patch:
            calls = _die_after(patch, doomed)
            try:
                start(data)
            except Crashed:
                pass
            else:
                assert doomed > 15, calls
                return
        start(data)
        assert stored(room) == LINES
        assert aside(room) == OTHER[6:]
        assert list((data / "journal").iterdir()) == []
        folder.release()
    pytest.fail("it never came to an end")


def test_a_start_waits_for_no_room(tmp_path: Path, room: Path) -> None:
    """Each is recovered when it is opened, and the others one after the other."""
    other = room.with_name("other.jsonl")
    for path in (room, other):
        write(path, LINES[:4])
    journal(tmp_path, LINES[4:])
    (tmp_path / "journal/00000002.log").write_bytes(
        pack_header(SegmentHeader(2, {}))
        + pack([place_of(RoomKey("other", private=False)) + line for line in LINES[4:]])
    )
    started = Journal(DataFolder(tmp_path), Settings(data=tmp_path))
    started.start()
    assert [stored(room), stored(other)] == [LINES[:4]] * 2
    started.doubts.recover(KEY)
    assert [stored(room), stored(other)] == [LINES, LINES[:4]]
    assert all(segment.covers for segment in started.segments)
    assert not started.doubts.recover_some(16)
    assert [stored(room), stored(other)] == [LINES, LINES]
    assert not any(segment.covers for segment in started.segments)


def test_a_defect_in_one_rooms_recovery_is_its_own(
    tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = room.with_name("other.jsonl")
    recover_room, key = recovery.recover_room, RoomKey("other", private=False)

    def recover_one(path: Path, *args: Any) -> recovery.Recovered:
        if path == room:
            raise ValueError("odd")
        return recover_room(path, *args)

    monkeypatch.setattr(doubts, "recover_room", recover_one)
    for path in (room, other):
        write(path, LINES[:4])
    journal(tmp_path, LINES[4:])
    (tmp_path / "journal/00000002.log").write_bytes(
        pack_header(SegmentHeader(2, {})) + pack([place_of(key) + line for line in LINES[4:]])
    )
    started = start(tmp_path)
    assert [stored(room), stored(other)] == [LINES[:4], LINES]
    assert started.doubts.is_doubtful(KEY)
    assert not started.doubts.is_doubtful(key)
    assert "A defect ended a history's recovery." in caplog.text
    caplog.clear()


def test_a_room_that_cannot_be_recovered_keeps_its_journal(
    tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(room, LINES[:4])
    (path,) = journal(tmp_path, LINES[4:])
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "_append", _fail)
        started = start(tmp_path)
        assert started.doubts.is_doubtful(KEY)
        with pytest.raises(OSError, match="odd"):
            started.doubts.recover(KEY)
    assert path.exists()
    assert stored(room) == LINES[:4]
    started.doubts.recover(KEY)
    assert stored(room) == LINES
    assert not started.segments[0].covers


def _fail(*_: object) -> None:
    raise OSError("odd")


def _die_after(patch: pytest.MonkeyPatch, calls: int) -> list[str]:
    """The process ends at that call to the disk; a write then leaves half of itself."""
    made: list[str] = []

    def wrap(name: str) -> None:
        call = getattr(os, name)

        def dying(*args: object, **options: object) -> object:
            made.append(name)
            if len(made) > calls:
                if name == "write" and len(made) == calls + 1:
                    call(args[0], args[1][: len(args[1]) // 2])  # type: ignore[index, arg-type]
                raise Crashed
            return call(*args, **options)

        patch.setattr(system, name, dying)

    for name in ("open", "write", "fsync", "ftruncate", "unlink", "pread"):
        wrap(name)
    return made


def _line_after(line: bytes) -> bytes:
    """Another line 5, whole and chained."""
    from edgechat.chat.line import StoredLine, claimed, encode_name, encode_said

    last = StoredLine(4, claimed(line) or b"", 1_763_880_000_004, line)
    return last.next(1_900_000_000_000, encode_name("bob"), encode_said("new", None)).line
