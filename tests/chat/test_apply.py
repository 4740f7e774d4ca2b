from __future__ import annotations

from edgechat.chat.commands import Join, Leave, Type
from edgechat.chat.errors import Refusal
from edgechat.chat.line import NO_HASH
from edgechat.settings import Settings

from .rooms import a_room, a_session, batch, briefs, drafted, enter, lines, say, spent, told

FAILURE = Refusal("storage_unavailable", "Not stored.")


def test_the_order_of_joining() -> None:
    """Those present, the backlog, the newcomer's own `joined` to everybody, `ready`."""
    room, alice, bob, eve = a_room(lines=lines(3)), *map(a_session, ("alice", "bob", "eve"))
    enter(room, alice, bob)
    outcome = batch(room, Join(eve, after=1))
    assert briefs(outcome, eve) == [
        "joined alice",
        "joined bob",
        "2 m2",
        "3 m3",
        "joined eve",
        "ready",
    ]
    assert briefs(outcome, alice) == briefs(outcome, bob) == ["joined eve"]
    assert outcome.admitted == [Join(eve, after=1)]


def test_ready() -> None:
    room, alice, eve = a_room(lines=lines(3)), a_session(), a_session("eve")
    enter(room, alice)
    ready = told(batch(room, Join(eve, after=3)), eve)[-1]
    assert ready == {
        "ready": True,
        "room": "lobby",
        "seq": 3,
        "h": room.head.h,
        "members": 2,
        "limits": {
            "message_chars": 2000,
            "name_chars": 32,
            "interval_ms": 1000,
            "grace_ms": 10_000,
        },
    }


def test_ready_in_a_room_without_a_file_has_the_token_that_always_resumes() -> None:
    alice = a_session()
    ready = told(batch(a_room(), Join(alice, after=0)), alice)[-1]
    assert (ready["seq"], ready["h"]) == (0, NO_HASH)


def test_ready_answers_since() -> None:
    room, alice, bob = a_room(), a_session(), a_session("bob")
    resumed = told(batch(room, Join(alice, 0, recovered=True)), alice)[-1]
    refused = told(batch(room, Join(bob, 0, recovered=False, reason="far")), bob)[-1]
    assert (resumed["recovered"], "reason" in resumed) == (True, False)
    assert (refused["recovered"], refused["reason"]) == (False, "far")


def test_a_message_of_the_batch_in_which_one_joins_comes_once() -> None:
    room, alice, bob = a_room(lines=lines(1)), a_session(), a_session("bob")
    enter(room, alice)
    outcome = batch(room, say(alice, "hi"), Join(bob, after=0), say(alice, "ho"))
    assert briefs(outcome, bob) == ["joined alice", "1 m1", "2 hi", "joined bob", "ready", "3 ho"]
    assert briefs(outcome, alice) == ["2 hi", "joined bob", "3 ho"]


def test_those_who_join_together_see_each_other_join_once() -> None:
    room, alice, bob = a_room(), a_session(), a_session("bob")
    outcome = batch(room, Join(alice, 0), Join(bob, 0))
    assert briefs(outcome, alice) == ["joined alice", "ready", "joined bob"]
    assert briefs(outcome, bob) == ["joined alice", "joined bob", "ready"]


def test_a_message_is_the_same_bytes_for_all_and_the_receipt_of_its_sender() -> None:
    room, alice, bob = a_room(), a_session(v2=True), a_session("bob")
    enter(room, alice, bob)
    outcome = batch(room, say(alice, "hi", "c1"))
    assert outcome.v1 == outcome.v2
    assert not outcome.personal
    assert told(outcome, alice)[0]["id"] == "c1"


def test_a_repeat_is_answered_to_its_sender_only() -> None:
    room, alice, bob = a_room(), a_session(), a_session("bob")
    enter(room, alice, bob)
    batch(room, say(alice, "hi", "c1"))
    outcome = batch(room, say(alice, "hi", "c1"), say(bob, "ho"))
    assert briefs(outcome, alice) == ["1 hi", "2 ho"]
    assert briefs(outcome, bob) == ["2 ho"]


def test_a_refusal_is_told_to_its_sender_only_in_its_place() -> None:
    room, alice, bob = a_room(), a_session(), a_session("bob")
    enter(room, alice, bob)
    outcome = batch(room, say(alice, "hi", "c1"), say(alice, "no", "c1"), say(bob, "ho"))
    assert briefs(outcome, alice) == ["1 hi", "error id_conflict", "2 ho"]
    assert briefs(outcome, bob) == ["1 hi", "2 ho"]


def test_a_session_that_is_not_a_member_gets_a_reply_and_no_frames() -> None:
    room, alice, stranger = a_room(), a_session(), a_session("web")
    enter(room, alice)
    outcome = batch(room, say(alice, "a"), say(stranger, "b", "c1"), say(stranger, "b", "c1"))
    line = room.backlog.line(2)
    assert outcome.replies == [(stranger, line), (stranger, line)]
    assert stranger not in outcome.personal
    assert briefs(outcome, alice) == ["1 a", "2 b"]
    ((_, refusal),) = batch(room, say(stranger, "other", "c1")).replies
    assert isinstance(refusal, Refusal)
    assert refusal.code == "id_conflict"


def test_what_a_stranger_said_and_could_not_be_stored_is_refused() -> None:
    room, stranger = a_room(), a_session("web")
    ((_, refusal),) = batch(room, say(stranger, "b", "c1"), failure=FAILURE).replies
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.id, spent(stranger)) == ("storage_unavailable", "c1", 0)


def test_what_could_not_be_stored_is_shown_to_nobody_and_costs_nothing() -> None:
    room, alice, bob = a_room(lines=lines(1)), a_session(), a_session("bob")
    enter(room, alice, bob)
    head = room.head
    outcome = batch(room, say(alice, "hi", "c1"), say(alice, "ho", "c2"), failure=FAILURE)
    assert [(frame["code"], frame["id"]) for frame in told(outcome, alice)] == [
        ("storage_unavailable", "c1"),
        ("storage_unavailable", "c2"),
    ]
    assert told(outcome, bob) == []
    assert (room.head, spent(alice)) == (head, 0)
    assert briefs(batch(room, say(alice, "hi", "c1")), bob) == ["2 hi"]


def test_a_repeat_of_what_could_not_be_stored_is_no_receipt() -> None:
    room, alice = a_room(), a_session()
    enter(room, alice)
    twice = [say(alice, "hi", "c1"), say(alice, "hi", "c1"), say(alice, "other", "c1")]
    assert briefs(batch(room, *twice, failure=FAILURE), alice) == ["error storage_unavailable"] * 3
    assert spent(alice) == 0


def test_a_repeat_of_what_is_stored_is_answered_though_nothing_can_be_stored() -> None:
    room, alice = a_room(), a_session()
    enter(room, alice)
    batch(room, say(alice, "hi", "c1"))
    again = [say(alice, "hi", "c1"), say(alice, "ho", "c1")]
    assert briefs(batch(room, *again, failure=FAILURE), alice) == ["1 hi", "error id_conflict"]


def test_one_can_come_and_go_though_nothing_can_be_stored() -> None:
    room, alice, bob = a_room(), a_session(), a_session("bob")
    enter(room, alice)
    assert briefs(batch(room, Join(bob, 0), failure=FAILURE), alice) == ["joined bob"]
    assert briefs(batch(room, Leave(bob), failure=FAILURE), alice) == ["quit bob"]


def test_who_is_behind_is_not_let_in_and_nobody_hears_of_it() -> None:
    room, alice, bob = a_room(Settings(recent_lines=2), lines(5)), a_session(), a_session("bob")
    enter(room, alice)
    outcome = batch(room, Join(bob, after=2))
    assert (outcome.behind, outcome.admitted) == ([Join(bob, after=2)], [])
    assert outcome.v1 == b""
    assert len(room.roster) == 1
    assert briefs(batch(room, Join(bob, after=3)), bob) == [
        "joined alice",
        "4 m4",
        "5 m5",
        "joined bob",
        "ready",
    ]


def test_who_caught_up_hears_who_came_and_went_meanwhile() -> None:
    room, alice, bob, eve = a_room(), a_session(), a_session("bob"), a_session("eve")
    enter(room, alice, bob)
    outcome = batch(room, Join(eve, 0, told=("alice", "carol")))
    assert briefs(outcome, eve) == ["quit carol", "joined bob", "joined eve", "ready"]


def test_typing_is_told_to_v2_until_it_is_said() -> None:
    room, alice, bob = a_room(), a_session(v2=True), a_session("bob")
    enter(room, alice, bob)
    outcome = batch(room, Type(bob))
    assert briefs(outcome, alice) == ["typing ['bob']"]
    assert told(outcome, bob) == []
    batch(room, say(bob, "hi"), now=1)
    assert briefs(batch(room, Type(alice), now=2), alice) == ["typing ['alice']"]


def test_typing_is_not_told_in_a_big_room() -> None:
    room = a_room(Settings(big_room=1))
    alice, bob = a_session(v2=True), a_session("bob", v2=True)
    enter(room, alice, bob)
    assert told(batch(room, Type(bob), now=0.5), alice) == []


def test_a_draft_can_be_looked_at_again() -> None:
    room, alice = a_room(), a_session()
    made = drafted(room, say(alice, "hi"), say(alice, "ho"))
    assert made.lines == made.lines
    assert len(made.lines) == 2
