"""Point 10: the front page, private rooms, recent rooms, sharing."""

import re

from playwright.sync_api import expect

from .conftest import Contexts
from .language import expect_said, join, say, wait_joined


def test_a_private_room_is_made_shared_and_entered_by_its_link(context: Contexts) -> None:
    page = context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto("./")
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Make a private room").click()
    wait_joined(page)
    expect(page).to_have_url(re.compile(r"/room/[0-9a-f]{64}$"))
    expect(page).to_have_title(
        "Private room · EdgeChat"
    )  # no key in what a history or a title bar shows
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this room")
    expect(dialog).to_contain_text("Anyone with this link can read all of this room")
    expect(dialog.get_by_role("img", name="QR code of the link")).to_be_visible()
    dialog.get_by_role("button", name="Copy link").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link == page.url
    page.keyboard.press("Escape")
    guest = context().new_page()
    guest.goto(link)
    expect(guest.get_by_role("heading", name="Join Private room")).to_be_visible()
    guest.locator(".join input").fill("bo")
    guest.locator(".join input").press("Enter")
    wait_joined(guest)
    say(page, "just us")
    expect_said(guest, "just us")


def test_recent_rooms_are_listed_and_can_be_forgotten(context: Contexts) -> None:
    page = join(context().new_page(), "ada")
    page.goto("room/attic")
    wait_joined(page)
    page.goto("./")
    recent = page.get_by_role("region", name="Your rooms")
    expect(recent.get_by_role("link")).to_have_text(["attic", "lobby"])
    recent.get_by_role("button", name="Forget attic").click()
    expect(recent.get_by_role("link")).to_have_text(["lobby"])
    page.reload()
    expect(recent.get_by_role("link")).to_have_text(["lobby"])
    recent.get_by_role("link", name="lobby").click()
    wait_joined(page)


def test_the_front_page_says_what_is_kept_and_what_is_not_checked(context: Contexts) -> None:
    page = context().new_page()
    page.goto("./")
    expect(page.locator(".facts")).to_contain_text("The history is kept on this server")
    expect(page.locator(".facts")).to_contain_text("Names are not verified")


def test_a_server_that_is_away_makes_no_private_room_and_says_so(context: Contexts) -> None:
    page = context().new_page()
    page.goto("./")
    page.route("**/api/room", lambda route: route.abort())
    page.get_by_role("button", name="Make a private room").click()
    expect(page.get_by_role("alert")).to_contain_text("did not answer")


def test_a_server_that_hangs_makes_no_private_room_and_says_so(context: Contexts) -> None:
    page = context().new_page()
    page.clock.install()
    page.add_init_script(
        "AbortSignal.timeout = (ms) => {"
        " const abort = new AbortController(); setTimeout(() => abort.abort(), ms);"
        " return abort.signal }"
    )  # the browser's own timer does not follow the clock of the test
    page.goto("./")
    page.route("**/api/room", lambda _: None)
    page.get_by_role("button", name="Make a private room").click()
    page.clock.fast_forward(16_000)
    expect(page.get_by_role("alert")).to_contain_text("did not answer")
