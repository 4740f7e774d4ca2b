from __future__ import annotations

import pytest

from edgechat.chat.allowance import Allowance
from edgechat.chat.commands import Type
from edgechat.chat.draft import Dependent, Verdict, charge, draft, rate_limited, said_before
from edgechat.chat.errors import Refusal
from edgechat.chat.line import StoredLine, encode_said, parse_line
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.session import Session
from edgechat.chat.state import RoomState
from edgechat.settings import Settings

from .rooms import NOW_MS, a_room, a_session, batch, drafted, h_of, lines, say, spent


def test_messages_become_the_next_lines_in_their_order() -> None:
    room, alice, bob = a_room(lines=lines(2)), a_session("alice"), a_session("bob")
    made = drafted(room, say(alice, "a"), Type(bob), say(bob, "b", "c1")).lines
    said = [parse_line(line) for line in made]
    assert [(one.seq, one.name, one.message, one.id) for one in said] == [
        (3, "alice", "a", None),
        (4, "bob", "b", "c1"),
    ]
    assert [one.timestamp for one in said] == [NOW_MS + 1, NOW_MS + 2]


def test_drafting_changes_nothing() -> None:
    room, alice = a_room(lines=lines(2)), a_session()
    once = drafted(room, say(alice, "a", "c1"))
    assert drafted(room, say(alice, "a", "c1")) == once
    assert room.head.seq == 2


def test_a_known_id_is_answered_by_its_line_and_costs_nothing() -> None:
    room, alice = a_room(), a_session()
    batch(room, say(alice, "hi", "c1"))
    line = room.backlog.line(1)
    batch(room, *(say(alice, f"{n}") for n in range(5)))
    again = drafted(room, say(alice, "hi", "c1"))
    assert again.lines == []
    assert again.verdicts == [line]
    assert spent(alice) == 6


def test_the_same_id_twice_in_one_batch_is_one_line() -> None:
    room, alice = a_room(), a_session()
    made = drafted(room, say(alice, "hi", "c1"), say(alice, "hi", "c1"), say(alice, "hi", "c2"))
    assert [parse_line(line).id for line in made.lines] == ["c1", "c2"]
    assert spent(alice) == 2


@pytest.mark.parametrize(("name", "text"), [("alice", "other"), ("bob", "hi"), ("alice", "hi ")])
@pytest.mark.parametrize("together", [True, False])
def test_the_same_id_for_another_message_is_a_conflict(
    name: str, text: str, together: bool
) -> None:
    room, alice, other = a_room(), a_session(), a_session(name)
    first, second = say(alice, "hi", "c1"), say(other, text, "c1")
    if together:
        hinged = drafted(room, first, second).verdicts[1]
        assert isinstance(hinged, Dependent)
        verdict: Verdict = hinged.verdict
    else:
        batch(room, first)
        verdict = drafted(room, second).verdicts[0]
    assert isinstance(verdict, Refusal)
    assert (verdict.code, verdict.id, verdict.close) == ("id_conflict", "c1", None)
    assert spent(other) == (other is alice)


def test_an_id_is_forgotten_after_as_many_messages_as_are_promised() -> None:
    room, alice = a_room(Settings(known_ids=10)), a_session()
    batch(room, say(alice, "hi", "c1"))
    batch(room, *(say(alice, "x") for _ in range(9)))
    assert drafted(room, say(alice, "hi", "c1")).lines == []
    batch(room, say(alice, "x"))
    assert len(drafted(room, say(alice, "hi", "c1")).lines) == 1


def test_what_was_said_before_a_batch_decides_what_is_forgotten_in_it() -> None:
    room, alice = a_room(Settings(known_ids=3)), a_session()
    batch(room, say(alice, "hi", "c1"))
    # c1 and two more are the last 3. With three more it is too long ago.
    batch(room, say(alice, "x"), say(alice, "x"))
    assert len(drafted(room, say(alice, "hi", "c1")).lines) == 0
    batch(room, say(alice, "x"))
    assert len(drafted(room, say(alice, "hi", "c1")).lines) == 1


def test_a_line_that_is_not_in_memory_has_to_be_read() -> None:
    room = a_room(Settings(recent_lines=5), lines(20))
    room.seen_ids = SeenIds(10_000, {"old": 3, "new": 18})
    bob = a_session("bob")
    commands = [say(bob, "m3", "old"), say(bob, "m18", "new"), say(bob, "x", "c1"), say(bob, "y")]
    assert said_before(room, commands) == {"old": 3, "new": 18}
    assert room.backlog.line(3) is None
    repeated = {"old": lines(3)[2], "new": lines(18)[17]}
    made = draft(room, commands, charge(commands, repeated, 0), repeated, NOW_MS)
    assert made.verdicts[:2] == [lines(3)[2], lines(18)[17]]
    assert [parse_line(line).message for line in made.lines] == ["x", "y"]


def test_a_room_that_knows_no_ids_has_to_read_them_first() -> None:
    room, alice = a_room(), a_session()
    room.seen_ids = None
    assert said_before(room, [say(alice, "hi")]) == {}
    assert said_before(room, [say(alice, "hi"), say(alice, "hi", "c1")]) is None


def test_a_draft_can_be_made_again_and_nobody_pays_twice() -> None:
    room, alice = a_room(), a_session()
    commands = [say(alice, "hi", "c1"), say(alice, "hi", "c1"), say(alice, "ho")]
    waits = charge(commands, {}, 0)
    assert draft(room, commands, waits, {}, NOW_MS) == draft(room, commands, waits, {}, NOW_MS)
    assert spent(alice) == 2


class Limited(Allowance):
    """It reads nothing."""

    def read(self, now: float) -> float:
        raise NotImplementedError

    reserve_read = read


def limited(session: Session, interval: float, grace: float) -> Session:
    session.allowance = Limited(interval, grace)
    return session


def refusals(room: RoomState, *sessions: Session) -> list[Refusal]:
    made = drafted(room, *(say(session, "hi") for session in sessions))
    return [verdict for verdict in made.verdicts if isinstance(verdict, Refusal)]


def test_five_of_ten_pass_and_the_others_are_told_how_long_to_wait() -> None:
    room, alice = a_room(), limited(a_session(), 5, 20)
    refused = refusals(room, *[alice] * 10)
    assert [(one.code, one.retry_after_ms) for one in refused] == [("rate_limited", 5000)] * 5


def test_two_sessions_of_one_address_share_its_allowance() -> None:
    room, alice, bob, eve = a_room(), a_session("alice"), a_session("bob"), a_session("eve")
    alice.allowance = bob.allowance = Limited(5, 20)
    assert len(refusals(room, *[alice, bob] * 5)) == 5
    assert refusals(room, eve) == []


@pytest.mark.parametrize(("wait", "ms"), [(5, 5000), (0.0004, 1), (0.0015, 2), (3.2, 3200)])
def test_how_long_to_wait_is_never_nothing(wait: float, ms: int) -> None:
    refusal = rate_limited(wait, "c1")
    assert (refusal.retry_after_ms, refusal.id) == (ms, "c1")


def test_the_chain_goes_on_through_a_batch_and_from_batch_to_batch() -> None:
    room, alice = a_room(), a_session()
    verdicts = drafted(room, say(alice, "a"), say(alice, "b")).verdicts
    batch(room, say(alice, "a"), say(alice, "b"))
    third = drafted(room, say(alice, "c")).verdicts[0]
    news = [verdict for verdict in (*verdicts, third) if isinstance(verdict, StoredLine)]
    assert [new.seq for new in news] == [1, 2, 3]
    assert [h_of(new.line) for new in news] == [new.h for new in news]
    assert news[2] == news[1].next(NOW_MS, b'"alice"', encode_said("c", None))
