from __future__ import annotations

import json
from math import inf

import pytest

from edgechat.client.backoff import Backoff
from edgechat.client.errors import Refused
from edgechat.client.outbox import Outbox

from .lines import message


def an_outbox(window: int = 1) -> Outbox:
    return Outbox(window, Backoff(base=1, cap=30, random=lambda: 1.0))


def texts(outbox: Outbox, now: float = 0) -> list[str]:
    return [json.loads(frame)["message"] for frame in outbox.due(now)]


def fill(outbox: Outbox, *said: str, retry: bool = True) -> None:
    for text in said:
        outbox.add(text, id=text, retry=retry)


def limited(ms: int = 3_000) -> Refused:
    return Refused("rate_limited", "Slow down.", ms)


def test_one_after_the_other() -> None:
    outbox = an_outbox()
    fill(outbox, "a", "b")
    assert texts(outbox) == ["a"]
    assert texts(outbox) == []
    assert outbox.wake_at == inf
    outbox.stored(message(1, "a", id="a"))
    assert outbox.wake_at < 0
    assert texts(outbox) == ["b"]


def test_a_window_of_two() -> None:
    outbox = an_outbox(window=2)
    fill(outbox, "a", "b", "c")
    assert texts(outbox) == ["a", "b"]


def test_the_echo_answers() -> None:
    outbox = an_outbox()
    entry = outbox.add("a", "x", retry=True)
    echo = message(7, "a", id="x")
    assert outbox.stored(echo) is entry
    assert entry.answer == echo
    assert len(outbox) == 0
    assert outbox.stored(echo) is None


def test_lines_of_others_do_not() -> None:
    outbox = an_outbox()
    fill(outbox, "a")
    assert outbox.stored(message(7, "a")) is None
    assert outbox.stored(message(7, "a", id="z")) is None


def test_another_message_under_our_id_is_a_conflict() -> None:
    outbox = an_outbox()
    entry = outbox.add("a", "x", retry=True)
    assert outbox.stored(message(7, "b", id="x")) is entry
    assert isinstance(entry.answer, Refused)
    assert entry.answer.code == "id_conflict"


def test_all_is_sent_again_in_order_after_a_cut() -> None:
    outbox = an_outbox(window=2)
    fill(outbox, "a", "b", "c")
    texts(outbox)
    outbox.unsend()
    assert texts(outbox) == ["a", "b"]


@pytest.mark.parametrize("code", ["id_conflict", "message_too_long", "of a later protocol"])
def test_refused_for_good(code: str) -> None:
    outbox = an_outbox()
    fill(outbox, "a", "b")
    texts(outbox)
    entry = outbox.refused("a", Refused(code, "No."), now=0)
    assert entry is not None
    assert isinstance(entry.answer, Refused)
    assert texts(outbox) == ["b"]


def test_a_spent_allowance_holds_all_back_for_as_long_as_it_says() -> None:
    outbox = an_outbox(window=2)
    fill(outbox, "a", "b", "c")
    texts(outbox)
    assert outbox.refused("a", limited(3_000), now=10) is None
    assert outbox.refused("b", limited(2_000), now=10) is None
    assert outbox.wake_at == 13
    assert texts(outbox, now=12.9) == []
    assert texts(outbox, now=13) == ["a", "b"]


def test_storage_that_fails_is_tried_with_back_off() -> None:
    outbox = an_outbox()
    fill(outbox, "a")
    waits = []
    now = 0.0
    for _ in range(4):
        assert texts(outbox, now) == ["a"]
        outbox.refused("a", Refused("storage_unavailable", "Full."), now)
        waits.append(outbox.wake_at - now)
        now = outbox.wake_at
    assert waits == [1, 2, 4, 8]


def test_a_stored_line_ends_the_back_off() -> None:
    outbox = an_outbox()
    fill(outbox, "a", "b")
    texts(outbox)
    outbox.refused("a", Refused("unavailable", "Bye."), now=0)
    texts(outbox, now=1)
    outbox.stored(message(1, "a", id="a"))
    texts(outbox, now=1)
    outbox.refused("b", Refused("unavailable", "Bye."), now=1)
    assert outbox.wake_at == 2


@pytest.mark.parametrize("code", ["rate_limited", "storage_unavailable", "unavailable"])
def test_refused_at_once_where_told_so(code: str) -> None:
    outbox = an_outbox()
    fill(outbox, "a", retry=False)
    texts(outbox)
    assert outbox.refused("a", Refused(code, "No."), now=0) is not None


def test_what_is_forgotten_is_not_sent_again_and_frees_the_window() -> None:
    outbox = an_outbox()
    entry = outbox.add("a", "a", retry=True)
    fill(outbox, "b")
    texts(outbox)
    outbox.forget(entry)
    assert texts(outbox) == ["b"]
    outbox.unsend()
    assert texts(outbox) == ["b"]


def test_forgetting_spares_a_new_entry_of_the_same_id() -> None:
    outbox = an_outbox()
    first = outbox.add("a", "x", retry=True)
    outbox.stored(message(1, "a", id="x"))
    outbox.add("a", "x", retry=True)
    outbox.forget(first)
    assert "x" in outbox


def test_too_long_is_refused_without_asking() -> None:
    outbox = an_outbox()
    fill(outbox, "short", "too long")
    [entry] = outbox.refuse_longer_than(5)
    assert isinstance(entry.answer, Refused)
    assert (entry.text, entry.answer.code) == ("too long", "message_too_long")
    assert texts(outbox) == ["short"]


@pytest.mark.parametrize("id", ["", "x" * 65, "é", "\n"])
def test_what_is_no_id(id: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        an_outbox().add("a", id, retry=True)


def test_an_id_that_is_in_use() -> None:
    outbox = an_outbox()
    fill(outbox, "a")
    with pytest.raises(ValueError, match="already"):
        fill(outbox, "a")
