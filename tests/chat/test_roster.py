from __future__ import annotations

from math import inf

from edgechat.chat.roster import COUNT_INTERVAL, PAGE, Roster
from edgechat.chat.session import Session

from .rooms import a_session, brief, frames


def words(data: bytes) -> list[str]:
    return [brief(frame) for frame in frames(data)]


def told(change: tuple[bytes, bytes]) -> tuple[list[str], list[str]]:
    return words(change[0]), words(change[1])


def a_roster(*names: str, big_room: int = 250) -> tuple[Roster, list[Session]]:
    roster = Roster(big_room)
    sessions = [a_session(name) for name in names]
    for session in sessions:
        roster.add(session)
    return roster, sessions


def test_two_tabs_named_bob_are_two_sessions_and_one_name() -> None:
    roster, (first, second) = Roster(250), (a_session("bob"), a_session("bob"))
    assert told(roster.add(first)) == (["joined bob"], ["joined bob"])
    assert told(roster.add(second)) == (["joined bob"], [])
    assert (len(roster), roster.present(v2=False), roster.present(v2=True)) == (
        2,
        ("bob", "bob"),
        ("bob",),
    )
    assert words(roster.greeting(v2=False)) == ["joined bob", "joined bob"]
    assert words(roster.greeting(v2=True)) == ["joined bob"]
    assert told(roster.remove(first)) == (["quit bob"], [])
    assert told(roster.remove(second)) == (["quit bob"], ["quit bob"])
    assert len(roster) == 0
    assert roster.greeting(v2=False) == roster.greeting(v2=True) == b""


def test_a_greeting_is_never_of_yesterday() -> None:
    roster, sessions = a_roster("a", "b")
    for name in "cab":  # each greeting is kept, and must follow every change
        assert len(words(roster.greeting(v2=False))) == len(roster)
        assert len(words(roster.greeting(v2=True))) == len(roster.present(v2=True))
        sessions.append(a_session(name))
        roster.add(sessions[-1])
    assert words(roster.greeting(v2=False)) == [f"joined {name}" for name in "abcab"]
    assert words(roster.greeting(v2=True)) == ["joined a", "joined b", "joined c"]
    roster.remove(sessions[0])
    roster.remove(sessions[3])
    assert words(roster.greeting(v2=False)) == ["joined b", "joined c", "joined b"]
    assert words(roster.greeting(v2=True)) == ["joined b", "joined c"]


def test_who_was_told_a_while_ago_hears_the_difference() -> None:
    roster, _ = a_roster("bob", "bob", "eve")
    told = ("alice", "bob")
    assert words(roster.change_since(told, v2=False)) == ["quit alice", "joined bob", "joined eve"]
    assert words(roster.change_since(told, v2=True)) == ["quit alice", "joined eve"]
    assert roster.change_since(roster.present(v2=True), v2=True) == b""


def test_a_big_room_tells_v2_a_count_once_a_second() -> None:
    roster, _ = a_roster(*"abc", big_room=3)
    assert roster.count(100) == b""
    assert roster.due() == inf
    changes = [roster.add(a_session(name)) for name in "defg"]
    assert [len(words(v1)) for v1, v2 in changes] == [1] * 4
    assert [v2 for v1, v2 in changes] == [b""] * 4
    assert words(roster.count(100)) == ["members 7"]
    roster.add(a_session("h"))
    assert roster.count(100 + COUNT_INTERVAL - 0.01) == b""
    assert roster.due() == 100 + COUNT_INTERVAL
    assert words(roster.count(100 + COUNT_INTERVAL)) == ["members 8"]
    assert (roster.count(200), roster.due()) == (b"", inf)


def test_a_newcomer_to_a_big_room_is_shown_a_page_of_names() -> None:
    names = [f"n{number}" for number in range(PAGE + 50)]
    roster, _ = a_roster(*names, big_room=10)
    for _ in range(2):
        (page,) = frames(roster.greeting(v2=True))
        assert page == {"members": len(roster), "roster": names[:PAGE]}
        roster.add(a_session(names[0]))
    assert len(words(roster.greeting(v2=False))) == len(roster)


def test_a_room_at_the_border_does_not_flap() -> None:
    roster, sessions = a_roster(*"abcdefghij", big_room=10)
    assert not roster.big
    sessions.append(a_session("k"))
    roster.add(sessions[-1])
    assert roster.big
    # Big above 10; small again at 80 % of it: with 8.
    sizes = []
    while roster.big:
        sizes.append(len(roster))
        gone = roster.remove(sessions.pop(0))
    assert sizes == [11, 10, 9]
    assert frames(gone[1]) == [{"members": 8, "roster": list("defghijk")}]
    assert roster.count(1e6) == b""
    assert told(roster.add(a_session("z")))[1] == ["joined z"]


def test_who_caught_up_while_a_big_room_shrank_knows_every_name() -> None:
    names = [f"n{number}" for number in range(PAGE + 25)]
    roster, sessions = a_roster(*names, big_room=PAGE + 20)
    known = roster.present(v2=True)
    assert [list(known)] == [frame["roster"] for frame in frames(roster.greeting(v2=True))]
    while roster.big:
        roster.remove(sessions.pop())
    change = frames(roster.change_since(known, v2=True))
    came = {frame["joined"] for frame in change if "joined" in frame}
    gone = {frame["quit"] for frame in change if "quit" in frame}
    assert (set(known) - gone) | came == set(roster.present(v2=True))
    assert len(roster.present(v2=True)) == len(roster)


def test_who_caught_up_while_a_room_grew_big_is_given_a_page() -> None:
    roster, _ = a_roster("a", big_room=1)
    known = roster.present(v2=True)
    roster.add(a_session("b"))
    assert words(roster.change_since(known, v2=True)) == ["members 2 roster ['a', 'b']"]
