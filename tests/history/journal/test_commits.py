"""The journal's text: what is whole counts, wherever the rest is torn or damaged."""

from __future__ import annotations

import pytest

from edgechat.chat.names import RoomKey
from edgechat.history.journal.commits import (
    SegmentHeader,
    pack,
    pack_header,
    place_of,
    unpack,
    unpack_header,
    unpack_record,
)

FIRST, SECOND, THIRD = [b"public a {1}"], [b"public a {2}", b"public b {3}"], [b"public a {4}"]
COMMITS = [pack(records) for records in (FIRST, SECOND, THIRD)]


def whole(text: bytes) -> list[list[bytes]]:
    return [records for records in unpack(text) if records is not None]


def test_what_was_packed() -> None:
    assert list(unpack(b"".join(COMMITS))) == [FIRST, SECOND, THIRD]
    assert list(unpack(b"")) == []


@pytest.mark.parametrize("kept", range(len(COMMITS[2])))
@pytest.mark.parametrize("tail", [b"", bytes(20), b"commit "])
def test_a_torn_end(kept: int, tail: bytes) -> None:
    assert whole(b"".join(COMMITS[:2]) + COMMITS[2][:kept] + tail) == [FIRST, SECOND]


@pytest.mark.parametrize("at", range(len(COMMITS[1])))
@pytest.mark.parametrize("wrong", [1, 0x80])
def test_a_damaged_commit_hides_no_other(at: int, wrong: int) -> None:
    damaged = bytearray(COMMITS[1])
    damaged[at] ^= wrong
    found = list(unpack(b"".join([COMMITS[0], damaged, COMMITS[2]])))
    assert [records for records in found if records is not None] == [FIRST, THIRD]
    assert None in found


def test_a_header() -> None:
    header = SegmentHeader(3, {"2": 4711})
    line = pack_header(header)
    assert line.startswith(b"journal 1 ")
    assert line.endswith(b"\n")
    assert unpack_header(line[:-1]) == header
    for at in range(len(line) - 1):
        damaged = bytearray(line[:-1])
        damaged[at] ^= 1
        assert unpack_header(bytes(damaged)) is None


@pytest.mark.parametrize(
    "key", [RoomKey("lobby", private=False), RoomKey("ab" * 32, private=True)], ids=str
)
def test_a_record(key: RoomKey) -> None:
    assert unpack_record(place_of(key) + b'{"a b":1}') == (key, b'{"a b":1}')


@pytest.mark.parametrize(
    "record", [b"", b"public", b"public a", b"public ../x {}", b"private ab {}", b"other a {}"]
)
def test_no_record(record: bytes) -> None:
    assert unpack_record(record) is None
