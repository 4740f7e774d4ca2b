"""Two people in a room."""

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .language import expect_nothing_pending, expect_said, say, wait_joined


def test_two_people_talk(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    expect(ada.locator(".notice")).to_have_text("bo joined")
    expect(ada.locator(".people li")).to_have_text(["Aadayou", "Bbo"])
    say(ada, "hello")
    expect_said(bo, "hello")
    say(bo, "hello yourself")
    for page in (ada, bo):
        expect_said(page, "hello", "hello yourself")
        expect_nothing_pending(page)
    bo.close()
    expect(ada.locator(".notice").last).to_have_text("bo left")
    expect(ada.locator("button.count")).to_have_text("1 here")


def test_from_the_front_page_into_a_room(context: Contexts) -> None:
    page = context().new_page()
    page.goto("./")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Room name").fill("Garden Club")
    page.get_by_label("Room name").press("Enter")
    wait_joined(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Garden-Club".lower())
    say(page, "first")
    page.reload()
    wait_joined(page)  # the name is known: nobody is asked twice
    expect_said(page, "first")


def test_an_impossible_room_name_is_explained(context: Contexts) -> None:
    page = context().new_page()
    page.goto("./")
    page.get_by_label("Room name").fill("../etc")
    page.get_by_label("Room name").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("32 at most")
    expect(page.get_by_label("Room name")).to_be_focused()


def test_a_name_that_the_server_refuses_is_asked_again(tab: Tabs, context: Contexts) -> None:
    page = context().new_page()
    page.goto("room/lobby")
    page.locator(".join input").fill("a\u200dbad")
    page.locator(".join input").press("Enter")
    expect(page.locator(".join .complaint")).to_contain_text("invisible or control characters")
    page.locator(".join input").fill("good")
    page.locator(".join input").press("Enter")
    wait_joined(page)
    say(page, "once")
    expect_said(page, "once")


def test_nobody_is_seen_before_joining(tab: Tabs, context: Contexts) -> None:
    page = context().new_page()
    page.goto("room/lobby")
    expect(page.get_by_role("heading", name="Join lobby")).to_be_visible()
    expect(tab("ada").locator("button.count")).to_have_text("1 here")
