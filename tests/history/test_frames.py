"""A newline is not the only frame of a record: whatever became of the newlines, what is whole is
shown, nothing else is, nothing is cut off, and no number is given twice.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.history import reader, repair
from edgechat.history.id_scan import read_ids
from edgechat.history.reader import File
from edgechat.settings import Settings
from tests.serving.files import check, header, make_lines, write
from tests.serving.running import serving
from tests.serving.talking import Broken, said
from tests.serving.wire import SOON, Wire, hello, join, open_wire

Change = Callable[[bytes], bytes]

LINES = make_lines(40, ids=True, text=r"of \"é\", {\"seq\":1,\"h\":\"0011223344556677\"}")
MARK = b"\xef\xbb\xbf"
HEADER = header("lobby")
MOST = repair.longest_write(Settings())


def fold(data: bytes) -> bytes:
    return re.sub(rb"([^\n]{80})", rb"\1\n", data)


# Forms that a room reads and goes on with, and how the file is brought back.
FORMS: dict[str, tuple[Change, Change]] = {
    "nothing": (lambda data: data, lambda data: data),
    "CRLF": (
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\r\n", b"\n"),
    ),
    "CR": (lambda data: data.replace(b"\n", b"\r"), lambda data: data.replace(b"\r", b"\n")),
    "LF CR": (lambda data: data.replace(b"\n", b"\n\r"), lambda data: data.replace(b"\r", b"")),
    "blanks at line ends": (
        lambda data: data.replace(b"\n", b" \t \n"),
        lambda data: data.replace(b" \t \n", b"\n"),
    ),
    "newlines gone": (
        lambda data: data.replace(b"\n", b""),
        lambda data: data.replace(b"\n", b"").replace(b'}{"seq"', b'}\n{"seq"') + b"\n",
    ),
    "newlines to blanks": (
        lambda data: data.replace(b"\n", b" "),
        lambda data: data.replace(b'} {"seq"', b'}\n{"seq"'),
    ),
    "newlines to zeros": (
        lambda data: data.replace(b"\n", b"\0")[:-1] + b"\n",
        lambda data: data.replace(b"\0", b"\n"),
    ),
    "empty lines": (
        lambda data: data.replace(b"\n", b"\n\n\r\n"),
        lambda data: re.sub(rb"[\r\n]+", b"\n", data),
    ),
    "empty lines at the end": (
        lambda data: data + b"\n\n\n",
        lambda data: re.sub(rb"\n+", b"\n", data),
    ),
    "BOM": (lambda data: MARK + data, lambda data: data.removeprefix(MARK)),
    "BOM and CRLF": (
        lambda data: MARK + data.replace(b"\n", b"\r\n"),
        lambda data: data.removeprefix(MARK).replace(b"\r\n", b"\n"),
    ),
    "zeros between": (
        lambda data: data.replace(b'\n{"seq":9,', bytes(5_000) + b'\n{"seq":9,'),
        lambda data: data.replace(b"\0", b""),
    ),
    "last newline missing": (lambda data: data[:-1], lambda data: data),
    "lines merged": (
        lambda data: re.sub(rb'\n(\{"seq":[0-9]*[3-9],)', rb"\1", data),
        lambda data: data.replace(b'}{"seq"', b'}\n{"seq"'),
    ),
    "lines split": (
        fold,
        lambda data: data.replace(b"\n", b"").replace(b'}{"seq"', b'}\n{"seq"') + b"\n",
    ),
    "lines split by CRLF": (
        lambda data: fold(data).replace(b"\n", b"\r\n"),
        lambda data: re.sub(rb"[\r\n]", b"", data).replace(b'}{"seq"', b'}\n{"seq"') + b"\n",
    ),
    "doubled": (lambda data: data + data, lambda data: data[data.rindex(HEADER) :]),
    "its end again": (
        lambda data: data + b"".join(line + b"\n" for line in LINES[-7:]),
        lambda data: b"".join(dict.fromkeys(data.splitlines(keepends=True))),
    ),
    "an older copy before it": (
        lambda data: b"".join(data.splitlines(keepends=True)[:11]) + data,
        lambda data: data[data.rindex(HEADER) :],
    ),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_room_goes_on_and_its_file_is_brought_back(tmp_path: Path, form: str) -> None:
    there, back = FORMS[form]
    path = tmp_path / "rooms/public/lobby.jsonl"
    changed = there(write(path, LINES))
    path.write_bytes(changed)
    good = [json.loads(line) for line in LINES]
    async with serving(tmp_path) as server:
        wire = await open_wire(server.port)
        await wire.send(hello("bob", v=2, backlog=1_000))
        with trio.fail_after(SOON):
            assert await until_ready(wire) == good
        for after in (0, 7, 38):
            page = await server.get(f"/api/room/lobby/history?after={after}&limit=1000")
            assert page.body.splitlines() == LINES[after:]
        assert (await said(wire, "again", id="c7"))["code"] == "id_conflict"  # it is known
        for seq in (41, 42):
            assert (await said(wire, f"new {seq}", id=f"c{seq}"))["seq"] == seq
        assert path.read_bytes().startswith(changed)
    path.write_bytes(back(path.read_bytes()))
    assert [message["seq"] for message in check(path)] == list(range(1, 43))
    assert list(path.parent.iterdir()) == [path]  # nothing was cut off


async def until_ready(wire: Wire) -> list[dict[str, Any]]:
    """All lines that one is shown who comes."""
    events = []
    while "ready" not in (event := await wire.event()):
        events.append(event)
    return [event for event in events if "seq" in event]


def utf16(code: str, mark: bytes = b"") -> Change:
    return lambda data: mark + data.decode().encode(code)


def shuffled(data: bytes) -> bytes:
    first, *lines = data.splitlines(keepends=True)
    Random(1).shuffle(lines)
    return first + b"".join(lines)


OTHER = b"".join(line + b"\n" for line in make_lines(60, now=1_763_890_000_000))

# Forms that no room goes on with, what the log says of them, and how the file is brought back.
REFUSED: dict[str, tuple[Change, str, Change]] = {
    "UTF-16 (Notepad)": (
        utf16("utf-16-le", b"\xff\xfe"),
        "UTF-16",
        lambda data: data.decode("utf-16").encode(),
    ),
    "UTF-16, big end first": (
        utf16("utf-16-be", b"\xfe\xff"),
        "UTF-16",
        lambda data: data.decode("utf-16").encode(),
    ),
    "UTF-16 without a mark": (
        utf16("utf-16-le"),
        "UTF-16",
        lambda data: data.decode("utf-16-le").encode(),
    ),
    "UTF-16 BE without a mark": (
        utf16("utf-16-be"),
        "UTF-16",
        lambda data: data.decode("utf-16-be").encode(),
    ),
    "UTF-16 appended (PowerShell)": (
        lambda data: data + data[data.rindex(b'{"seq":40,') :].decode().encode("utf-16-le"),
        "UTF-16",
        lambda data: data[: data.index(b"{\0")],
    ),
    "sorted": (
        lambda data: b"".join(sorted(data.splitlines(keepends=True))),
        "not in order",
        lambda data: HEADER + b"".join(line + b"\n" for line in LINES),
    ),
    "turned round": (
        lambda data: b"".join(data.splitlines(keepends=True)[::-1]),
        "not in order",
        lambda data: b"".join(data.splitlines(keepends=True)[::-1]),
    ),
    "shuffled": (
        shuffled,
        "not in order",
        lambda data: HEADER + b"".join(line + b"\n" for line in LINES),
    ),
    "a longer history of another room behind it": (
        lambda data: data + header("other", b"1" * 16) + OTHER,
        "not in order",
        lambda data: data[: data.index(header("other", b"1" * 16))],
    ),
    "compressed": (zlib.compress, "not a history", zlib.decompress),
    "format 2": (
        lambda data: data.replace(b'"edgechat":1', b'"edgechat":2'),
        "format 2",
        lambda data: data.replace(b'"edgechat":2', b'"edgechat":1'),
    ),
    "another room's": (
        lambda data: data.replace(b'"room":"lobby"', b'"room":"other"'),
        "another room",
        lambda data: data.replace(b'"room":"other"', b'"room":"lobby"'),
    ),
    "some text": (
        lambda data: b"not a history\nat all\n",
        "not a history",
        lambda data: HEADER + b"".join(line + b"\n" for line in LINES),
    ),
}


@pytest.mark.parametrize("form", REFUSED)
async def test_a_room_that_can_not_go_on_refuses_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    there, reason, back = REFUSED[form]
    path = tmp_path / "rooms/public/lobby.jsonl"
    changed = there(write(path, LINES))
    path.write_bytes(changed)
    async with serving(tmp_path) as server:
        wire = await open_wire(server.port)
        await wire.send(hello("bob"))
        with trio.fail_after(SOON):
            assert (await wire.event())["code"] == "storage_unavailable"
        assert (await server.get("/api/room/lobby/history")).status == 503
        assert reason in caplog.text
        assert path.read_bytes() == changed
        assert list(path.parent.iterdir()) == [path]
        path.write_bytes(back(changed))
        wire = await join(server.port, "alice")
        assert (await said(wire, "new"))["seq"] == 41
    assert len(check(path)) == 41


MANY = make_lines(30_000, ids=True)


@pytest.mark.parametrize("form", ["CR", "newlines gone", "doubled", "an older copy before it"])
def test_a_large_file_in_another_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / "lobby.jsonl"
    data = FORMS[form][0](write(path, MANY))
    path.write_bytes(data)
    with history(path) as file:
        found = repair.open_history(file, 1_000, 128 * 1024)
        assert found.head == (30_000, json.loads(MANY[-1])["h"])
        assert [entry.line for entry in found.backlog] == MANY[-1_000:]
        for seq in (0, 1, 2, 500, 14_999, 15_001, 29_990, 30_000):
            after = reader.read(file, seq, 100, 1 << 18)
            assert [entry.line for entry in after] == MANY[seq : seq + 100]
            before = reader.read_before(file, seq + 1, 100, 1 << 18)
            assert [entry.line for entry in before] == MANY[max(seq - 100, 0) : seq]
        ids = read_ids(file, 20_000)
        assert {id: seq for id, seq in ids.items() if seq > 20_000} == {
            f"c{seq}": seq for seq in range(20_001, 30_001)
        }
    assert path.read_bytes() in (data, data + b"\n")  # completed


@pytest.mark.parametrize("form", ["sorted", "turned round", "shuffled", "with a shorter one"])
def test_a_large_file_in_another_order_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / "lobby.jsonl"
    data = write(path, MANY)
    shorter = header("other", b"1" * 16) + OTHER * 30
    path.write_bytes(REFUSED[form][0](data) if form in REFUSED else data + shorter)
    with history(path) as file, pytest.raises(StorageUnavailable, match=r"not in order|holds line"):
        repair.open_history(file, 1_000, 128 * 1024)


@contextmanager
def history(path: Path) -> Iterator[File]:
    """As a room opens it."""
    fd = system.open(path, system.O_RDWR | system.O_APPEND)
    try:
        repair.mend(fd, path, MOST)
        yield repair.open_file(fd)
    finally:
        system.close(fd)


def test_what_is_cut_off_is_kept_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lobby.jsonl"
    whole = write(path, LINES)
    for torn in (
        b'{"seq":41,"timest',
        b"x" * 300_000,
        bytes(70_000),
        b'{"seq":41,"a":"' + bytes(9),
    ):
        path.write_bytes(whole + torn)
        with history(path) as file:
            assert repair.open_history(file, 1_000, 1 << 17).head.seq == 40
        assert path.read_bytes() == whole
        (kept,) = tmp_path.glob("lobby.jsonl.torn-*")
        assert kept.read_bytes() == torn
        assert kept.stat().st_mode & 0o777 == 0o600
        kept.unlink()


def test_what_can_not_be_kept_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lobby.jsonl"
    torn = write(path, LINES) + b'{"seq":41,"timest'
    path.write_bytes(torn)
    call = Broken(monkeypatch, "write")
    call.failing = True
    with pytest.raises(OSError, match="Input/output error"), history(path):
        pass
    assert path.read_bytes() == torn
    assert list(tmp_path.iterdir()) == [path]


def test_what_one_write_can_not_have_left_is_not_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "lobby.jsonl"
    whole = write(path, LINES)
    path.write_bytes(whole + b"x" * 1_000)
    fd = system.open(path, system.O_RDWR | system.O_APPEND)
    assert repair.mend(fd, path, 999) == [
        "the last 1000 bytes can't be read, and were left: more than one write"
    ]
    assert path.read_bytes() == whole + b"x" * 1_000 + b"\n"
    file = repair.open_file(fd)
    assert repair.open_history(file, 1_000, 1 << 17).head.seq == 41  # whatever stood there
    system.close(fd)


def test_all_records_are_kept_wherever_a_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "fsync", lambda fd: None)  # it is slow, and nobody pulls the plug
    path = tmp_path / "lobby.jsonl"
    whole = write(path, LINES[:4])
    for form in ("CRLF", "CR", "newlines gone"):
        data = FORMS[form][0](whole)
        ends = [end.end() for end in re.finditer(rb'(?<!\\)"\}(?!\})', data)]
        assert len(ends) == 4
        for cut in range(len(HEADER), len(data)):
            path.write_bytes(data[:cut])
            with history(path) as file:
                lines = [entry.line for entry in reader.entries_after(file, 0)]
            assert lines == LINES[: sum(end <= cut for end in ends)], (form, cut)


@pytest.mark.parametrize("count", [1, 5, 39])
def test_a_file_without_its_beginning(tmp_path: Path, count: int) -> None:
    """What `tail -n` or `tail -c` leaves: the rest is shown, and the numbers go on."""
    path = tmp_path / "lobby.jsonl"
    write(path, LINES)
    data = path.read_bytes()
    for cut in (data.index(LINES[count]), data.index(LINES[count]) - 20):
        path.write_bytes(data[cut:])
        with history(path) as file:
            found = repair.open_history(file, 1_000, 1 << 17)
        assert [entry.line for entry in found.backlog] == [*[None] * count, *LINES[count:]]
        assert found.head.seq == 40


async def test_a_clock_that_was_ahead_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, ahead in ("far", 3_600_000), ("near", 50_000):
        path = tmp_path / f"rooms/public/{name}.jsonl"
        write(path, make_lines(3, now=system.now_ms() + ahead))
    async with serving(tmp_path) as server:
        for name in ("far", "near"):
            assert (await server.get(f"/api/room/{name}")).status == 200
    assert re.search(r"last line of room 'far' was written by a clock 3\d\d\d s ahead", caplog.text)
    assert "near" not in caplog.text
