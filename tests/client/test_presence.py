"""Who is here, as a client is told it."""

from __future__ import annotations

from edgechat.client.events import Members
from edgechat.client.presence import Presence
from edgechat.client.wire import ServerFrame


def test_a_roster_frame_replaces_all_that_was_known() -> None:
    presence = Presence()
    presence.begin()
    presence.change(ServerFrame(joined="ada"))
    assert presence.change(ServerFrame(members=300, roster=("bo", "cy"))) == Members(300)
    presence.complete(300)
    assert (presence.names, presence.members) == (("bo", "cy"), 300)
    presence.change(ServerFrame(members=200, roster=("cy", "di")))
    presence.change(ServerFrame(joined="ed"))
    assert presence.names == ("cy", "di", "ed")


def test_a_count_alone_changes_no_name() -> None:
    presence = Presence()
    presence.change(ServerFrame(joined="ada"))
    presence.change(ServerFrame(members=251))
    assert (presence.names, presence.members) == (("ada",), 251)
