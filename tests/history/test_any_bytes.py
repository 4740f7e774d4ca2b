"""Any bytes between records, and any change to them: what is read is never wrong."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgechat.chat.errors import StorageUnavailable
from edgechat.history import reader, repair
from edgechat.history.reader import File
from tests.serving.files import header, make_lines

LINES = make_lines(14, ids=True)
HEADER = header("lobby")
SEAM = re.compile(rb'\{"seq":([0-9]+),(?:(?!\{"seq":).)*?,"h":"[0-9a-f]{16}"\}', re.DOTALL)

BLANKS = st.lists(
    st.sampled_from([b"\n", b"\r", b" ", b"\t", b"\0" * 9, b"\xef\xbb\xbf"]), max_size=4
)
RUBBISH = st.sampled_from(
    [b"xy", b"\n{}\n", b"\nrubbish\n", HEADER, LINES[0], LINES[1] + LINES[2], b"\xff" * 99]
)


@contextmanager
def opened(data: bytes) -> Iterator[File]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "lobby.jsonl"
        path.write_bytes(data)
        fd = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            repair.mend(fd, path, 1 << 20)
            yield repair.open_file(fd)
        finally:
            os.close(fd)


@given(st.lists(BLANKS, min_size=15, max_size=15))
def test_any_blanks_between_records_cost_nothing(blanks: list[list[bytes]]) -> None:
    frames = [b"".join(blank) for blank in blanks]
    data = HEADER.rstrip() + b"".join(
        frame + line for frame, line in zip(frames, LINES, strict=False)
    )
    with opened(data + frames[-1]) as file:
        found = repair.open_history(file, 100, 1 << 17)
        assert [entry.line for entry in found.backlog] == LINES
        assert [entry.line for entry in reader.read_before(file, 9, 3, 1 << 17)] == LINES[5:8]


@given(st.lists(st.none() | RUBBISH, min_size=12, max_size=12))
def test_rubbish_and_copies_between_records_hide_none(rubbish: list[bytes | None]) -> None:
    """The first two lines are the ones that are copied."""
    data = HEADER + b"\n".join(LINES[:2]) + b"\n"
    for piece, line in zip(rubbish, LINES[2:], strict=True):
        data += (piece or b"") + line + b"\n"
    with opened(data) as file:
        entries = reader.read(file, 0, 100, 1 << 17)
        assert [entry.line for entry in entries if entry.line] == LINES


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut out", "insert", "zeros", "newline"]),
        st.integers(0, 10_000),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=3,
)


def change(data: bytes, how: str, at: int, size: int) -> bytes:
    at %= len(data)
    if how == "flip":
        return data[:at] + bytes([data[at] ^ (size % 255 + 1)]) + data[at + 1 :]
    if how == "cut out":
        return data[:at] + data[at + size :]
    if how == "zeros":
        return data[:at] + bytes(size) + data[at + size :]
    return data[:at] + (b"\n" if how == "newline" else b"?" * size) + data[at:]


@settings(max_examples=300)
@example([("cut out", len(HEADER), 250)])
@given(CHANGES)
def test_no_number_is_given_again_and_each_is_covered(changes: list[tuple[str, int, int]]) -> None:
    data = HEADER + b"\n".join(LINES) + b"\n"
    for one in changes:
        data = change(data, *one) or b"\n"
    try:
        with opened(data) as file:
            found = repair.open_history(file, 100, 1 << 17)
            entries = reader.read(file, 0, 10_000, 1 << 20)
    except StorageUnavailable:
        return
    whole = [int(seam[1]) for seam in SEAM.finditer(data) if seam[0] in LINES]
    assert found.head.seq >= max(whole, default=0)
    assert [entry.seq for entry in entries] == list(range(1, found.head.seq + 1))[-10_000:] or (
        file.base is None or len(entries) == 10_000
    )
    shown = {entry.line for entry in entries if entry.line}
    assert len(shown - set(LINES)) <= len(changes)  # unprovable ones, next to what was changed
