from __future__ import annotations

from edgechat.chat.typists import Typists


def test_who_types_is_shown_for_five_seconds() -> None:
    typists = Typists(shown=5)
    assert typists.note("alice", 0) == ["alice"]
    assert typists.note("bob", 4.9) == ["alice", "bob"]
    assert typists.note("bob", 5) == ["bob"]


def test_who_goes_on_is_shown_on() -> None:
    typists = Typists(shown=5)
    typists.note("alice", 0)
    typists.note("alice", 3)
    assert typists.note("bob", 7.9) == ["alice", "bob"]


def test_who_said_it_does_not_type_any_more() -> None:
    typists = Typists(shown=5)
    typists.note("alice", 0)
    typists.forget("alice")
    typists.forget("nobody")
    assert typists.note("bob", 1) == ["bob"]
