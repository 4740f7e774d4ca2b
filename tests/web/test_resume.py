"""Point 1: no gap and no double after a restart, with messages seen or none."""

from playwright.sync_api import expect

from .conftest import Tabs
from .language import expect_said, say, seqs, wait_back
from .server import Server


def test_every_line_once_through_restarts(server: Server, tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    said = []
    for turn in range(3):
        say(ada, f"before {turn}")
        said.append(f"before {turn}")
        expect_said(bo, *said)
        server.stop()
        server.start()
        for page in (ada, bo):
            wait_back(page)
        say(bo, f"after {turn}")
        said.append(f"after {turn}")
        for page in (ada, bo):
            expect_said(page, *said)
            assert seqs(page) == list(range(1, len(said) + 1))


def test_resume_after_seeing_nothing(server: Server, tab: Tabs) -> None:
    early = tab("early")
    server.stop()
    server.start()
    say(tab("late"), "the first word")
    wait_back(early)
    expect_said(early, "the first word")
    assert seqs(early) == [1]


def test_a_room_that_began_anew_says_so(server: Server, tab: Tabs) -> None:
    page = tab("ada")
    say(page, "of the old history")
    expect_said(page, "of the old history")
    server.stop()
    (server.data / "rooms" / "public" / "lobby.jsonl").unlink()
    server.start()
    wait_back(page)
    expect(page.locator(".log .notice")).to_contain_text("began anew")
    expect_said(page)
    say(page, "of the new one")
    expect_said(page, "of the new one")
