"""How rows look and what they take: clicks, copies, wide names, the row of a message on its way."""

import re
import time
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_nothing_pending, expect_said, join, say, wait_back, wait_joined
from .past import write_past
from .server import Server
from .test_orientation import LOOK_AWAY

BOX = """each => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [x, y, width, height];
}"""
AT_THE_FIRST_WORD = """text => {
  const { left, top } = text.getBoundingClientRect();
  return document.elementFromPoint(left + 12, top + 10).closest(".text") === text;
}"""
COPIED = """() => {
  const log = document.querySelector(".log");
  getSelection().selectAllChildren(log);
  return getSelection().toString();
}"""


def test_the_first_word_of_a_grouped_message_takes_its_own_clicks(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "one", "https://example.org is a link")
    expect_said(page, "one", "https://example.org is a link")
    second = page.locator(".log .row").nth(1)
    assert second.locator(".text").evaluate(AT_THE_FIRST_WORD)
    second.hover()
    assert second.locator(".text").evaluate(AT_THE_FIRST_WORD)
    time, text = (second.locator(each).evaluate(BOX) for each in (".when", ".text"))
    assert time[0] + time[2] <= text[0]  # beside the text, not over it


def test_a_time_with_am_or_pm_fits_into_its_column(context: Contexts) -> None:
    page = join(context(locale="en-US").new_page(), "ada")
    say(page, "one", "two")
    expect_said(page, "one", "two")
    second = page.locator(".log .row").nth(1)
    second.hover()
    time, text = (second.locator(each).evaluate(BOX) for each in (".when", ".text"))
    assert time[0] + time[2] <= text[0]
    assert re.search("[AP]M", page.locator(".log .when").first.inner_text())


def test_what_is_copied_has_no_letter_of_an_avatar(tab: Tabs) -> None:
    page = tab("bo")
    say(page, "one", "two")
    expect_said(page, "one", "two")
    lines = page.evaluate(COPIED).split("\n")
    assert "B" not in lines
    assert lines.count("bo") == 1  # not before the grouped one
    assert {"one", "two"} <= set(lines)


def test_names_as_wide_as_they_get_do_not_widen_the_room(context: Contexts, tab: Tabs) -> None:
    page = tab("ada", viewport={"width": 360, "height": 700})
    wide = tab("\ufdfd" * 32)
    tab("W" * 32)
    expect(page.locator("button.count")).to_have_text("3 here")
    say(wide, "from far and wide")
    expect_said(page, "from far and wide")
    overflow = "each => each.scrollWidth - each.clientWidth"
    assert page.locator(".pane").evaluate(overflow) == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.locator(".pane").evaluate(overflow) == 0
    heights = page.locator("aside.people li").evaluate_all(
        "all => all.map(each => each.offsetHeight)"
    )
    assert max(heights) < 120


def tops(page: Page) -> list[float]:
    """Where each text begins: those of the log, then those on their way."""
    found: list[float] = page.locator(".column .text").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().top)"
    )
    return found


def test_a_message_on_its_way_stands_where_it_will_stay(server: Server, tab: Tabs) -> None:
    page = tab("ada")
    say(page, "before")
    expect_said(page, "before")
    server.stop()
    say(page, "one", "two")
    expect(page.locator(".outbox .text")).to_have_text(["one", "two"])
    expect(page.locator(".outbox .row").nth(0)).to_have_class(re.compile("grouped"))
    before = tops(page)
    server.start()
    wait_back(page)
    expect_said(page, "before", "one", "two")
    expect_nothing_pending(page)
    assert tops(page) == before


def test_after_somebody_else_it_has_a_head(server: Server, tab: Tabs) -> None:
    page, bo = tab("ada"), tab("bo")
    say(bo, "before")
    expect_said(page, "before")
    server.stop()
    bo.close()  # else its coming back is a line of its own, now or later
    say(page, "one")
    expect(page.locator(".outbox .row")).not_to_have_class(re.compile("grouped"))
    before = tops(page)
    server.start()
    wait_back(page)
    expect_said(page, "before", "one")
    assert tops(page) == before


def test_the_question_for_a_name_is_in_the_middle(context: Contexts) -> None:
    page = context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto("room/lobby")
    x, _, width, _ = page.locator(".join form").evaluate(BOX)
    assert abs(x + width / 2 - 640) < 10


def test_one_s_own_word_ends_what_was_new(server: Server, context: Contexts) -> None:
    browser = context()
    page = join(browser.new_page(), "ada")
    fill(server, "lobby", ["read"], name="bo")
    expect_said(page, "read")
    page.evaluate(LOOK_AWAY)
    fill(server, "lobby", ["new"], name="bo")
    expect(page.locator(".left-off")).to_be_visible()
    say(page, "an answer")
    expect_said(page, "read", "new", "an answer")
    expect(page.locator(".left-off")).to_have_count(0)


def test_days_have_names_and_go_on(context: Contexts) -> None:
    page = context().new_page()
    page.clock.install()
    join(page, "ada")
    say(page, "one")
    expect(page.locator(".day")).to_have_text("Today")
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=1))
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    expect(page.locator(".day")).to_have_text("Yesterday")


def test_what_was_read_of_a_history_that_is_gone_hides_nothing_new(
    server: Server, context: Contexts
) -> None:
    browser = context()
    page = join(browser.new_page(), "ada")
    fill(server, "lobby", [f"old {number}" for number in range(40)], name="bo")
    expect(page.locator(".log .row")).to_have_count(40)
    page.close()
    server.stop()
    file = server.data / "rooms" / "public" / "lobby.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:6]))
    server.start()
    page = browser.new_page()
    page.goto("room/lobby")
    wait_joined(page)
    expect(page.locator(".log .row")).to_have_count(5)
    page.close()
    fill(server, "lobby", ["new"], name="bo")
    page = browser.new_page()
    page.goto("room/lobby")
    wait_joined(page)
    expect(page.locator(".row:has(.left-off) .text")).to_have_text("new")


DAY = 86_400_000


def test_the_day_of_what_is_read_further_up(server: Server, tab: Tabs) -> None:
    now = int(time.time() * 1000)
    past = ((now - (3 - n // 40) * DAY + n, "ada", f"message {n}") for n in range(160))
    write_past(server.data, "long", past)
    page = tab("reader", "long")
    date = page.locator(".date")
    expect(page.locator(".log .row").last).to_be_in_viewport()
    expect(date).to_be_hidden()
    page.locator(".row", has_text="message 100").evaluate("row => row.scrollIntoView()")
    expect(date).to_have_text("Yesterday")
    page.locator(".latest").click()
    expect(date).to_be_hidden()


def test_a_line_from_the_future_dates_nothing(server: Server, tab: Tabs) -> None:
    """The clock was a year ahead for one line; all later ones stand a millisecond apart."""
    now = int(time.time() * 1000)
    later = now + 365 * DAY
    write_past(
        server.data, "clock", [(now, "ada", "one"), (later, "ada", "two"), (later + 1, "ada", "3")]
    )
    page = tab("reader", "clock")
    expect(page.locator(".day")).to_have_text(["Today"])
    expect(page.locator(".grouped")).to_have_count(0)
    expect(page.locator(".when").nth(1)).to_have_text("#2")
    expect(page.locator(".when").nth(2)).to_have_text("#3")
