from __future__ import annotations

from edgechat.chat import outgoing
from edgechat.chat.backlog import Backlog
from edgechat.chat.line import Entry, Token

from .rooms import BASE, brief, frames, h_of, lines

LINES = lines(20)


def entries(*lost: int) -> list[Entry]:
    return [
        Entry(seq, None if seq in lost else line, h_of(line)) for seq, line in enumerate(LINES, 1)
    ]


def a_recent(max_lines: int = 100, max_bytes: int = 100_000, lost: tuple[int, ...] = ()) -> Backlog:
    recent = Backlog(BASE, max_lines, max_bytes)
    recent.fill(entries(*lost))
    return recent


def shown(recent: Backlog, after: int, *, v2: bool = True) -> list[str]:
    return [brief(frame) for frame in frames(recent.after(after, v2=v2))]


def test_every_line_after_any_other() -> None:
    recent = a_recent()
    assert recent.start == 0
    for after in range(21):
        expected = [f"{seq} m{seq}" for seq in range(after + 1, 21)]
        assert shown(recent, after) == shown(recent, after, v2=False) == expected


def test_a_new_line_is_in_what_was_asked_for_before() -> None:
    recent = a_recent(max_lines=3)
    assert shown(recent, 19) == ["20 m20"]
    recent.add(outgoing.text_frame(lines(21)[-1]))
    assert shown(recent, 19) == ["20 m20", "21 m21"]


def test_so_many_lines_at_most() -> None:
    recent = a_recent(max_lines=5)
    assert recent.start == 15
    assert shown(recent, 15) == [f"{seq} m{seq}" for seq in range(16, 21)]
    assert recent.line(15) is None
    assert recent.line(16) == LINES[15]
    assert recent.line(21) is None


def test_so_many_bytes_at_most_but_the_newest_line_always() -> None:
    size = len(outgoing.text_frame(LINES[19]))
    assert a_recent(max_bytes=2 * size).start == 18
    assert a_recent(max_bytes=2 * size - 1).start == 19
    assert a_recent(max_bytes=1).start == 19


def test_the_h_of_each_line_and_of_the_place_before() -> None:
    recent = a_recent(max_lines=5)
    for seq in range(15, 21):
        assert recent.hash_at(seq) == h_of(LINES[seq - 1]).hex()
    assert recent.hash_at(14) is None
    assert recent.hash_at(21) is None
    assert a_recent().hash_at(0) == BASE.h


def test_a_damaged_line_keeps_its_place_and_only_v2_is_shown_it() -> None:
    recent = a_recent(lost=(19,))
    assert shown(recent, 17) == ["18 m18", "19 lost", "20 m20"]
    assert shown(recent, 17, v2=False) == ["18 m18", "20 m20"]
    assert shown(recent, 18) == ["19 lost", "20 m20"]
    assert recent.line(19) is None
    assert recent.hash_at(19) == h_of(LINES[18]).hex()


def test_a_place_whose_h_cannot_be_read_has_none() -> None:
    recent = Backlog(Token(4, ""), 1, 1000)
    recent.fill([Entry(5, None, None), Entry(6, LINES[5], h_of(LINES[5]))])
    assert recent.hash_at(5) is None
    assert recent.hash_at(6) == h_of(LINES[5]).hex()


def test_many_different_questions() -> None:
    recent = a_recent()
    for _ in range(2):
        for after in range(20):
            assert len(shown(recent, after)) == 20 - after
