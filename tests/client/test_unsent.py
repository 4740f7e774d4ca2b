from __future__ import annotations

import json
from dataclasses import replace
from math import inf

import pytest

from edgechat.client.events import Delayed
from edgechat.client.failures import Refused
from edgechat.client.room_options import Options
from edgechat.client.unsent import Outgoing, Unsent

from .lines import message


def an_unsent(window: int = 1) -> Unsent:
    return Unsent(Options(window=window, backoff_base=1, backoff_cap=30, random=lambda: 1.0))


def texts(unsent: Unsent, now: float = 0) -> list[str]:
    return [json.loads(frame)["message"] for frame in unsent.due(now)]


def fill(unsent: Unsent, *said: str, retry: bool = True) -> None:
    for text in said:
        unsent.add(text, id=text, retry=retry)


def limited(ms: int = 3_000) -> Refused:
    return Refused("rate_limited", "Slow down.", ms)


def test_one_after_the_other() -> None:
    unsent = an_unsent()
    fill(unsent, "a", "b")
    assert texts(unsent) == ["a"]
    assert texts(unsent) == []
    assert unsent.wake_at == inf
    unsent.stored(message(1, "a", id="a"))
    assert unsent.wake_at < 0
    assert texts(unsent) == ["b"]


def test_a_window_of_two() -> None:
    unsent = an_unsent(window=2)
    fill(unsent, "a", "b", "c")
    assert texts(unsent) == ["a", "b"]


def test_the_echo_answers() -> None:
    unsent = an_unsent()
    entry = unsent.add("a", "x", retry=True)
    echo = message(7, "a", id="x")
    assert unsent.stored(echo) is entry
    assert entry.answer == echo
    assert len(unsent) == 0
    assert unsent.stored(echo) is None


def test_lines_of_others_do_not() -> None:
    unsent = an_unsent()
    fill(unsent, "a")
    assert unsent.stored(message(7, "a")) is None
    assert unsent.stored(message(7, "a", id="z")) is None


def test_another_message_under_our_id_is_a_conflict() -> None:
    unsent = an_unsent()
    entry = unsent.add("a", "x", retry=True)
    assert unsent.stored(message(7, "b", id="x")) is entry
    assert isinstance(entry.answer, Refused)
    assert entry.answer.code == "id_conflict"


def test_all_is_sent_again_in_order_after_a_cut() -> None:
    unsent = an_unsent(window=2)
    fill(unsent, "a", "b", "c")
    texts(unsent)
    unsent.connection_lost()
    assert texts(unsent) == ["a", "b"]


@pytest.mark.parametrize("code", ["id_conflict", "message_too_long", "of a later protocol"])
def test_refused_for_good(code: str) -> None:
    unsent = an_unsent()
    fill(unsent, "a", "b")
    texts(unsent)
    entry = unsent.refused("a", Refused(code, "No."), now=0)
    assert isinstance(entry, Outgoing)
    assert isinstance(entry.answer, Refused)
    assert texts(unsent) == ["b"]


def test_a_spent_allowance_holds_all_back_for_as_long_as_it_says() -> None:
    unsent = an_unsent(window=2)
    fill(unsent, "a", "b", "c")
    texts(unsent)
    told = Delayed("a", "rate_limited", "Slow down.", 3.0)
    assert unsent.refused("a", limited(3_000), now=10) == told
    assert unsent.refused("b", limited(2_000), now=10) == replace(told, id="b")
    assert unsent.wake_at == 13
    assert texts(unsent, now=12.9) == []
    assert texts(unsent, now=13) == ["a", "b"]


def test_storage_that_fails_is_tried_with_back_off() -> None:
    unsent = an_unsent()
    fill(unsent, "a")
    waits = []
    now = 0.0
    for _ in range(4):
        assert texts(unsent, now) == ["a"]
        unsent.refused("a", Refused("storage_unavailable", "Full."), now)
        waits.append(unsent.wake_at - now)
        now = unsent.wake_at
    assert waits == [1, 2, 4, 8]


def test_a_stored_line_ends_the_back_off() -> None:
    unsent = an_unsent()
    fill(unsent, "a", "b")
    texts(unsent)
    unsent.refused("a", Refused("unavailable", "Bye."), now=0)
    texts(unsent, now=1)
    unsent.stored(message(1, "a", id="a"))
    texts(unsent, now=1)
    unsent.refused("b", Refused("unavailable", "Bye."), now=1)
    assert unsent.wake_at == 2


@pytest.mark.parametrize("code", ["rate_limited", "storage_unavailable", "unavailable"])
def test_refused_at_once_where_told_so(code: str) -> None:
    unsent = an_unsent()
    fill(unsent, "a", retry=False)
    texts(unsent)
    assert isinstance(unsent.refused("a", Refused(code, "No."), now=0), Outgoing)


def test_what_is_forgotten_is_not_sent_again_and_frees_the_window() -> None:
    unsent = an_unsent()
    entry = unsent.add("a", "a", retry=True)
    fill(unsent, "b")
    texts(unsent)
    unsent.forget(entry)
    assert texts(unsent) == ["b"]
    unsent.connection_lost()
    assert texts(unsent) == ["b"]


def test_forgetting_spares_a_new_entry_of_the_same_id() -> None:
    unsent = an_unsent()
    first = unsent.add("a", "x", retry=True)
    unsent.stored(message(1, "a", id="x"))
    unsent.add("a", "x", retry=True)
    unsent.forget(first)
    assert "x" in unsent


def test_too_long_is_refused_without_asking() -> None:
    unsent = an_unsent()
    fill(unsent, "short", "too long")
    [entry] = unsent.refuse_longer_than(5)
    assert isinstance(entry.answer, Refused)
    assert (entry.text, entry.answer.code) == ("too long", "message_too_long")
    assert texts(unsent) == ["short"]


@pytest.mark.parametrize("id", ["", "x" * 65, "é", "\n"])
def test_what_is_no_id(id: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        an_unsent().add("a", id, retry=True)


def test_an_id_that_is_in_use() -> None:
    unsent = an_unsent()
    fill(unsent, "a")
    with pytest.raises(ValueError, match="already"):
        fill(unsent, "a")
