from __future__ import annotations

from edgechat.chat.seen_ids import SeenIds


def test_an_id_is_known_for_as_many_messages_as_was_promised() -> None:
    known = SeenIds(3, {})
    known.add("c1", 1)
    # The last 3 messages up to head 3 are 1, 2 and 3; up to head 4 they are 2, 3 and 4.
    assert [known.find("c1", head) for head in range(1, 6)] == [1, 1, 1, None, None]


def test_messages_without_an_id_count_too() -> None:
    known = SeenIds(10_000, {"c1": 5})
    assert known.find("c1", 10_004) == 5
    assert known.find("c1", 10_005) is None


def test_the_oldest_is_forgotten_first() -> None:
    known = SeenIds(3, {"a": 1, "b": 2})
    for seq, id in enumerate("cde", 3):
        known.add(id, seq)
    assert [known.find(id, 5) for id in "abcde"] == [None, None, 3, 4, 5]


def test_what_is_said_again_after_it_was_forgotten_is_new() -> None:
    known = SeenIds(2, {"a": 1, "b": 2})
    known.add("a", 3)
    known.add("c", 4)
    assert [known.find(id, 4) for id in "abc"] == [3, None, 4]


def test_what_was_read_is_not_changed() -> None:
    read = {"a": 1}
    SeenIds(2, read).add("b", 2)
    assert read == {"a": 1}
