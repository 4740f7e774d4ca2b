"""Damage: what is good is served, what is not is reported, and nothing wrong passes for good."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edgechat.chat.line import Entry, StoredLine, encode_said
from edgechat.history.chain_reader import ChainReader
from edgechat.history.reader import read_through
from tests.chat.rooms import BASE, NOW_MS, h_of, lines

LINES = lines(12, name='"bö\\"b"'.encode())
MASKS = [*(1 << bit for bit in range(8)), 0x7F, 0xFF]
MIDDLE = 6
NEWLINE = 0x0A


def read_chain(data: bytes, reader: ChainReader | None = None) -> tuple[ChainReader, list[Entry]]:
    """All that a walk finds in a file's bytes."""
    reader = reader or ChainReader(0, bytes.fromhex(BASE.h))
    return reader, list(read_through(reader, iter(data.split(b"\n"))))


def joined(made: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in made)


def served(found: Sequence[Entry]) -> set[int]:
    """Which lines were served. Fails for one that is not what was written."""
    for entry in found:
        assert entry.line in (None, LINES[entry.seq - 1])
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    return {entry.seq for entry in found if entry.line is not None}


def all_but(*lost: int) -> set[int]:
    return set(range(1, 13)) - set(lost)


def replaced(at: int, *pieces: bytes) -> bytes:
    """The file with other lines in the place of line `at`."""
    return joined([*LINES[: at - 1], *pieces, *LINES[at:]])


def flipped(line: bytes, place: int, mask: int) -> bytes:
    return line[:place] + bytes([line[place] ^ mask]) + line[place + 1 :]


def test_a_good_history() -> None:
    reader, found = read_chain(joined(LINES))
    assert found == [Entry(seq, line, h_of(line)) for seq, line in enumerate(LINES, 1)]
    assert (reader.seq, reader.h, reader.damaged, reader.unprovable) == (
        12,
        h_of(LINES[11]),
        0,
        0,
    )


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("at", [1, 2, MIDDLE, 11, 12])
def test_every_byte_of_a_line_flipped(at: int, mask: int) -> None:
    for place in range(len(LINES[at - 1])):
        reader, found = read_chain(replaced(at, flipped(LINES[at - 1], place, mask)))
        assert served(found) == all_but(at), place
        assert len(found) == 12
        assert reader.unprovable == 0
        assert reader.damaged in (1, 2)  # two pieces, where a byte became a newline


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("at", [1, MIDDLE, 11])
def test_a_flipped_newline_loses_nothing(at: int, mask: int) -> None:
    data = joined(LINES)
    place = len(joined(LINES[:at])) - 1
    assert data[place] == NEWLINE
    reader, found = read_chain(flipped(data, place, mask))
    assert served(found) == all_but()
    assert reader.unprovable == 0


def test_a_newline_that_is_gone_loses_nothing() -> None:
    for at in range(1, 12):
        data = joined(LINES[:at])[:-1] + joined(LINES[at:])
        assert served(read_chain(data)[1]) == all_but()


@pytest.mark.parametrize("mask", MASKS)
def test_a_room_goes_on_after_a_damaged_last_line(mask: int) -> None:
    for place in range(len(LINES[11])):
        data = replaced(12, flipped(LINES[11], place, mask))
        reader, _ = read_chain(data)
        assert reader.seq == 12
        assert reader.h is not None
        new = StoredLine(reader.seq, reader.h, NOW_MS, b"").next(
            NOW_MS, b'"a"', encode_said("hi", None)
        )
        again, found = read_chain(data + new.line + b"\n")
        assert found[12:] == [Entry(13, new.line, new.h)]
        assert served(found[:12]) == all_but(12)
        assert again.unprovable == 0


def test_a_line_cut_at_every_byte() -> None:
    for end in range(len(LINES[MIDDLE - 1])):
        reader, found = read_chain(replaced(MIDDLE, LINES[MIDDLE - 1][:end]))
        assert served(found) == all_but(MIDDLE)
        # Its h is gone with its end: nothing proves the next line.
        assert (reader.damaged, reader.unprovable) == (end > 0, 1)


def test_a_line_without_its_beginning() -> None:
    for start in range(1, len(LINES[MIDDLE - 1])):
        reader, found = read_chain(replaced(MIDDLE, LINES[MIDDLE - 1][start:]))
        assert served(found) == all_but(MIDDLE)
        has_its_h = start <= len(LINES[MIDDLE - 1]) - len(b',"h":"0123456789abcdef"}')
        assert reader.unprovable == (not has_its_h)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_lines_that_are_gone(count: int) -> None:
    for at in range(1, 13 - count):
        reader, found = read_chain(joined(LINES[: at - 1] + LINES[at - 1 + count :]))
        assert served(found) == all_but(*range(at, at + count))
        assert len(found) == 12
        assert reader.unprovable == 1


@pytest.mark.parametrize("count", [1, 2, 5])
def test_lines_that_are_nonsense(count: int) -> None:
    for nonsense in (b"", b"\0" * 40, b"{}", b'{"seq":7}', b"x" * 1000):
        data = joined([*LINES[:4], *[nonsense] * count, *LINES[4 + count :]])
        reader, found = read_chain(data)
        assert served(found) == all_but(*range(5, 5 + count))
        assert reader.damaged == count * bool(nonsense.strip(b"\0"))  # blanks are no damage


@pytest.mark.parametrize("nonsense", [b"", b"{}", b"x", LINES[2], LINES[4]])
def test_lines_too_many(nonsense: bytes) -> None:
    reader, found = read_chain(replaced(5, LINES[4], nonsense))
    assert served(found) == all_but()
    is_line = nonsense in LINES
    assert (reader.passed, reader.misplaced) == (is_line, 0)
    assert (reader.damaged, reader.unprovable) == (bool(nonsense) and not is_line, 0)


def test_two_lines_that_stand_the_other_way_round() -> None:
    _, found = read_chain(joined([*LINES[:4], LINES[5], LINES[4], *LINES[6:]]))
    assert served(found) == all_but(6)  # 5 still follows from 4; 6 is not where it belongs


def test_a_line_with_another_text_and_the_old_h_is_lost() -> None:
    forged = LINES[MIDDLE - 1].replace(b"m6", b"mm")
    assert served(read_chain(replaced(MIDDLE, forged))[1]) == all_but(MIDDLE)


def test_a_line_of_another_history_costs_the_one_after_it_too() -> None:
    """Nothing tells its neighbour from a changed line after a changed line."""
    other = lines(MIDDLE, name=b'"eve"')[-1]
    assert served(read_chain(replaced(MIDDLE, other))[1]) == all_but(MIDDLE, MIDDLE + 1)


@pytest.mark.parametrize("mask", MASKS)
def test_two_damaged_lines_one_after_the_other(mask: int) -> None:
    """What stands after a line whose h is gone is shown unproven, right or wrong, and counted."""
    for place in range(len(LINES[4])):
        for other in (place, 10, 45, 70):
            pair = flipped(LINES[4], place, mask), flipped(LINES[5], other, mask)
            reader, found = read_chain(joined([*LINES[:4], *pair, *LINES[6:]]))
            wrong = [entry for entry in found if entry.line not in (None, *LINES)]
            assert len(wrong) <= reader.unprovable
            assert {*range(1, 5), *range(7, 13)} <= {entry.seq for entry in found if entry.line}


def test_numbers_that_stand_at_the_end_are_taken_even_where_nothing_vouches_for_them() -> None:
    """Else a room would give them again."""
    forged = [line.replace(b'"m', b'"M') for line in LINES[8:]]
    reader, found = read_chain(joined([*LINES[:4], *forged]))
    assert served(found) == {1, 2, 3, 4}
    assert (len(found), reader.seq) == (12, 12)


def test_a_number_that_is_damaged_makes_no_room_jump() -> None:
    absurd = (
        b'{"seq":9007199254740993,"timestamp":1,"name":"a","message":"b","h":"0000000000000000"}'
    )
    reader, found = read_chain(joined([*LINES, absurd]))
    assert served(found[:12]) == all_but()
    assert (len(found), reader.seq) == (13, 13)
    reader, found = read_chain(joined([*LINES[:11], b"x" * 90, absurd]))
    assert (len(found), reader.seq) == (12, 12)


def test_any_number_of_lost_lines_costs_no_more() -> None:
    made = lines(400_000)
    reader = ChainReader(0, bytes.fromhex(BASE.h), newest=3)
    _, found = read_chain(joined([made[0], *made[-2:]]), reader)
    assert [entry.seq for entry in found] == [1, *range(399_996, 400_001)]
    assert (reader.lost, reader.runs) == (399_997, [(2, 399_998)])


def test_a_second_copy_costs_nothing() -> None:
    header = b'{"edgechat":1,"room":"r","created":1,"base":{"seq":0,"h":"%s"}}' % BASE.h.encode()
    for copy in ([header, *LINES], LINES, LINES[5:], LINES[3:7]):
        more = lines(13, name='"bö\\"b"'.encode())[12:]
        reader, found = read_chain(joined([*LINES, *copy, *more]))
        assert served(found[:12]) == all_but()
        assert [entry.line for entry in found[12:]] == more
        assert (reader.damaged, reader.passed, reader.misplaced) == (
            0,
            len(LINES) and len([line for line in copy if line is not header]),
            0,
        )


def test_another_historys_lines_are_never_shown() -> None:
    other = lines(20, name=b'"eve"')
    reader, found = read_chain(joined([*LINES, *other]))
    assert served(found[:12]) == all_but()
    assert [entry.line for entry in found[12:]] == [None] * 8
    assert (reader.seq, reader.passed, reader.misplaced) == (20, 20, 8)  # line 21 is the next


def test_lines_that_somebody_took_out_are_not_another_order() -> None:
    """As `grep -v` does it: the rest rises, and a room goes on."""
    made = lines(60)
    for kept in ([line for n, line in enumerate(made) if n % 3], made[::2], made[5::7]):
        reader, found = read_chain(joined(kept))
        assert reader.misplaced == 0
        assert len(found) == reader.seq == made.index(kept[-1]) + 1
        assert all(entry.line in (None, made[entry.seq - 1]) for entry in found)


def test_lines_in_another_order_are_counted() -> None:
    for order in (sorted(LINES), LINES[::-1], [*LINES[6:], *LINES[:6]]):
        reader, found = read_chain(joined(order))
        served(found)
        assert reader.seq == 12
        assert reader.misplaced >= 6 or order == sorted(LINES)  # 2 to 9


def test_changed_lines_in_a_row_are_all_lost() -> None:
    """The line after them vouches for the last one's h, but that is not for its text."""
    forged = [line.replace(b'"m', b'"M') for line in LINES[4:8]]
    reader, found = read_chain(joined([*LINES[:4], *forged, *LINES[8:]]))
    assert served(found) == all_but(5, 6, 7, 8)
    assert (reader.damaged, reader.unprovable) == (4, 0)


def test_the_h_of_a_damaged_line_is_known_where_it_can_be_read() -> None:
    _, found = read_chain(replaced(MIDDLE, flipped(LINES[5], 40, 1)))
    assert found[5] == Entry(6, None, h_of(LINES[5]))
    _, found = read_chain(replaced(MIDDLE, LINES[5][:40]))
    assert found[5] == Entry(6, None, None)


def test_a_walk_may_begin_anywhere() -> None:
    reader, found = read_chain(joined(LINES[6:]), ChainReader(6, h_of(LINES[5])))
    assert [entry.line for entry in found] == LINES[6:]
    assert reader.unprovable == 0


def test_from_where_the_h_is_not_known_the_first_line_is_unprovable() -> None:
    reader, found = read_chain(joined(LINES[6:]), ChainReader(6, None))
    assert [entry.line for entry in found] == LINES[6:]
    assert (reader.h, reader.unprovable) == (h_of(LINES[11]), 1)


def test_a_long_damaged_stretch_costs_no_more_for_each_line() -> None:
    """An editor that replaced a word in every line must not keep a start busy for hours."""
    made = lines(3_000)
    forged = [line.replace(b'"bob"', b'"eve"') for line in made[:-10]]
    reader, found = read_chain(joined([*forged, *made[-10:]]))
    assert len(reader._candidates) <= 1 + 4
    assert [entry.seq for entry in found if entry.line] == list(range(2_991, 3_001))


def test_an_empty_history() -> None:
    reader, found = read_chain(b"")
    assert found == []
    assert (reader.seq, reader.h) == (0, bytes.fromhex(BASE.h))
