"""Point 5: days, groups, where one left off, links to a message, comings and goings."""

import re
from datetime import UTC, datetime

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_said, join, say, wait_joined
from .server import Server

LOOK_AWAY = "() => { document.hasFocus = () => false; window.dispatchEvent(new Event('blur')) }"
LOOK = "() => { document.hasFocus = () => true; window.dispatchEvent(new Event('focus')) }"


def test_one_speaker_s_lines_stand_together_under_one_day(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    expect(ada.locator(".log .notice")).to_have_text("bo joined")  # not between two lines
    say(ada, "one", "two")
    expect_said(bo, "one", "two")
    say(bo, "three")
    expect_said(ada, "one", "two", "three")
    expect(ada.locator(".log .day")).to_have_count(1)
    expect(ada.locator(".log .row").nth(1)).to_have_class(re.compile("grouped"))
    expect(ada.locator(".log .row").nth(2)).not_to_have_class(re.compile("grouped"))
    stamp = ada.locator(".log time").first.get_attribute("datetime") or ""
    said = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    assert abs((datetime.now(UTC) - said).total_seconds()) < 60


def test_a_notice_begins_no_new_day_but_parts_a_speaker_s_lines(tab: Tabs) -> None:
    ada = tab("ada")
    say(ada, "one")
    expect_said(ada, "one")
    tab("bo")
    expect(ada.locator(".log .notice")).to_have_text("bo joined")
    say(ada, "two")
    expect_said(ada, "one", "two")
    expect(ada.locator(".log .day")).to_have_count(1)
    expect(ada.locator(".log .row").nth(1)).not_to_have_class(re.compile("grouped"))


def test_the_line_where_i_left_off_while_i_looked_away(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    say(bo, "seen")
    expect_said(ada, "seen")
    ada.evaluate(LOOK_AWAY)
    say(bo, "missed", "missed too")
    expect_said(ada, "seen", "missed", "missed too")
    expect(ada.locator(".left-off")).to_have_text("New since you were here")
    expect(ada.locator(".row:has(.left-off) .text")).to_have_text("missed")
    ada.evaluate(LOOK)
    expect(ada.locator(".left-off")).to_be_visible()  # it stays until the next time


def test_the_line_where_i_left_off_yesterday(server: Server, context: Contexts) -> None:
    browser = context()
    page = join(browser.new_page(), "ada")
    fill(server, "lobby", ["read", "read too"], name="bo")
    expect_said(page, "read", "read too")
    page.close()
    fill(server, "lobby", ["new", "newer"], name="bo")
    page = browser.new_page()
    page.goto("room/lobby")
    wait_joined(page)
    expect(page.locator(".row:has(.left-off) .text")).to_have_text("new")


def test_far_more_than_a_page_since_i_left(server: Server, context: Contexts) -> None:
    browser = context()
    page = join(browser.new_page(), "ada")
    fill(server, "lobby", ["read"], name="bo")
    expect_said(page, "read")
    page.close()
    fill(server, "lobby", [f"new {number}" for number in range(300)], name="bo")
    page = browser.new_page()
    page.goto("room/lobby")
    wait_joined(page)
    page.get_by_role("button", name="300 messages since you were here").click()
    expect(page.locator(".row:has(.left-off) .text")).to_have_text("new 0")
    expect(page.locator(".row:has(.left-off) .text")).to_be_in_viewport()


def test_a_link_to_a_message(server: Server, context: Contexts) -> None:
    fill(server, "lobby", [f"message {number}" for number in range(1, 501)])
    page = join(context().new_page(), "ada")
    page.goto("room/lobby#42")
    page.reload()
    expect(page.locator(".row.linked .text")).to_have_text("message 42")
    expect(page.locator(".row.linked")).to_be_in_viewport()
    page.locator(".row.linked + .row").hover()
    page.locator(".row.linked + .row .when").click()
    expect(page).to_have_url(re.compile(r"room/lobby#43$"))
    expect(page.locator(".row.linked .text")).to_have_text("message 43")
    page.locator(".latest").click()
    expect(page.locator(".log .text").last).to_have_text("message 500")


def test_comings_and_goings_are_one_line(tab: Tabs) -> None:
    ada = tab("ada")
    others = [tab(name) for name in ("bo", "cy", "di", "ed")]
    expect(ada.locator(".notice")).to_have_text("bo, cy and 2 others joined")
    others[0].close()
    expect(ada.locator(".notice")).to_have_text("cy, di and ed joined · bo came by")
    say(ada, "a word")
    expect_said(ada, "a word")
    others[1].close()
    expect(ada.locator(".notice")).to_have_count(2)
    expect(ada.locator(".notice").last).to_have_text("cy left")
