"""Point 9: who is here, and who types."""

import re

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .language import expect_said, join, say, wait_joined
from .server import Server


def test_one_entry_a_name_however_many_tabs(context: Contexts, tab: Tabs) -> None:
    ada = tab("ada")
    browser = context()
    one, two = join(browser.new_page(), "bo"), join(browser.new_page(), "bo")
    expect(ada.locator(".people li")).to_have_count(2)
    one.close()
    say(two, "still here")
    expect_said(ada, "still here")
    expect(ada.locator(".people li")).to_have_count(2)
    two.close()
    expect(ada.locator(".people li")).to_have_count(1)


def test_typing_is_seen_by_others_and_ends_by_itself(context: Contexts, tab: Tabs) -> None:
    page = context().new_page()
    page.clock.install()
    ada, bo = join(page, "ada"), tab("bo")
    bo.keyboard.type("let me")
    expect(ada.locator(".typing")).to_have_text("bo is typing …")
    expect(bo.locator(".typing")).to_be_empty()
    ada.clock.fast_forward(6_000)
    expect(ada.locator(".typing")).to_be_empty()


def test_a_message_is_the_end_of_typing_it(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    bo.keyboard.type("done")
    expect(ada.locator(".typing")).to_have_text("bo is typing …")
    bo.keyboard.press("Enter")
    expect_said(ada, "done")
    expect(ada.locator(".typing")).to_be_empty()


def test_on_a_phone_the_list_is_a_dialog(tab: Tabs) -> None:
    ada = tab("ada", viewport={"width": 390, "height": 844})
    tab("bo")
    expect(ada.locator("button.count")).to_have_text("2 here")
    expect(ada.locator("aside.people")).to_be_hidden()
    ada.locator("button.count").click()
    expect(ada.get_by_role("dialog", name="People here").get_by_role("listitem")).to_have_count(2)
    ada.keyboard.press("Escape")
    expect(ada.get_by_role("dialog")).to_have_count(0)


def test_the_roster_is_whole_after_a_restart(server: Server, tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    server.stop()
    server.start()
    say(bo, "back")
    say(ada, "me too")
    expect(ada.locator(".people li")).to_have_count(2)
    expect(bo.locator(".people li")).to_have_count(2)


def test_the_dialog_follows_who_comes_and_goes(tab: Tabs) -> None:
    ada = tab("zoe", viewport={"width": 390, "height": 844})
    ada.locator("button.count").click()
    people = ada.get_by_role("dialog").get_by_role("listitem")
    expect(people).to_have_text([re.compile("zoe.*you")])
    bo = tab("bo")
    expect(people).to_have_text([re.compile("zoe"), re.compile("bo")])  # oneself first
    bo.close()
    expect(people).to_have_count(1)


def test_a_name_that_shows_nothing_is_nobody_s(context: Contexts, tab: Tabs) -> None:
    page = context().new_page()
    page.goto("room/lobby")
    field = page.locator(".join input")
    for name in ("\u3164", "\u200b", " \u2800 "):
        field.fill(name)
        field.press("Enter")
        expect(page.locator(".join .complaint")).to_contain_text("can be seen")
    field.fill(" ann\u200b ")
    field.press("Enter")
    wait_joined(page)
    expect(tab("ann").locator(".people li")).to_have_count(1)  # it is the same ann
    say(page, "\u2800\u200b", "seen")
    expect_said(page, "seen")
