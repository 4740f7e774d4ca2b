"""Who is here, as a client is told it."""

from __future__ import annotations

from edgechat.client.events import Members
from edgechat.client.frames import Frame
from edgechat.client.roster import Roster


def test_a_roster_frame_replaces_all_that_was_known() -> None:
    roster = Roster()
    roster.begin()
    roster.change(Frame(joined="ada"))
    assert roster.change(Frame(members=300, roster=("bo", "cy"))) == Members(300)
    roster.complete(300)
    assert (roster.names, roster.members) == (("bo", "cy"), 300)
    roster.change(Frame(members=200, roster=("cy", "di")))
    roster.change(Frame(joined="ed"))
    assert roster.names == ("cy", "di", "ed")


def test_a_count_alone_changes_no_name() -> None:
    roster = Roster()
    roster.change(Frame(joined="ada"))
    roster.change(Frame(members=251))
    assert (roster.names, roster.members) == (("ada",), 251)
