"""Point 12: any script, any direction."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .language import expect_nothing_pending, expect_said, join, say

DIRECTION = "each => getComputedStyle(each).direction"


def test_each_message_and_name_has_its_own_direction(tab: Tabs) -> None:
    page = tab("دانة")
    say(page, "مرحبا بكم", "hello", "hello شكرا")
    expect(page.locator(".log .text")).to_have_count(3)
    texts = page.locator(".log .text")
    assert [text.evaluate(DIRECTION) for text in texts.all()] == ["rtl", "ltr", "ltr"]
    expect(page.locator(".log bdi.name").first).to_have_text("دانة")


def test_right_to_left_interface(context: Contexts) -> None:
    page = context(locale="ar").new_page()
    page.goto("./")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.get_by_role("heading", level=1)).to_have_text("غرفة الدردشة رابط.")
    page.goto("room/قهوة")
    page.locator(".join input").fill("ليلى")
    page.locator(".join input").press("Enter")
    expect(page.locator("button.count")).to_contain_text("هنا")
    field, button = page.locator("textarea"), page.locator("button.send")
    box, send = field.bounding_box(), button.bounding_box()
    assert box is not None
    assert send is not None
    assert send["x"] < box["x"]  # the button is at the line's end, which is on the left
    page.locator("textarea").fill("صباح الخير")
    page.keyboard.press("Enter")
    expect_said(page, "صباح الخير")


def test_a_language_can_be_asked_for(context: Contexts) -> None:
    page = context(locale="de").new_page()
    page.goto("./")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("./?lang=ar")
    expect(page.locator("html")).to_have_attribute("lang", "ar")


def test_any_script_goes_through_whole(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    texts = ["日本語", "ไทย", "🏳️‍🌈👩‍👩‍👧", "नमस्ते", "Ελληνικά", "עברית", "a\u200bb", "𠜎"]
    say(ada, *texts)
    expect_said(bo, *texts)


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=9_000)])
def test_a_clock_that_is_off(off: timedelta, context: Contexts, tab: Tabs) -> None:
    page = context().new_page()
    page.clock.install(time=datetime.now(UTC) + off)
    join(page, "ada")
    bo = tab("bo")
    for number in range(2):
        say(page, f"from ada {number}")
        expect(bo.locator(".log .row")).to_have_count(2 * number + 1)
        say(bo, f"from bo {number}")
        expect(page.locator(".log .row")).to_have_count(2 * number + 2)
    expect_said(page, "from ada 0", "from bo 0", "from ada 1", "from bo 1")
    expect_nothing_pending(page)
    expect(page.locator(".log .day")).to_have_count(1)
    shown, right = (each.locator(".log time").all_text_contents() for each in (page, bo))
    assert shown == right  # the server's time, whatever the browser takes it to be


def test_a_line_from_right_to_left_is_beside_its_author(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "\u05e9\u05dc\u05d5\u05dd", "from left to right")
    expect_said(page, "\u05e9\u05dc\u05d5\u05dd", "from left to right")
    hebrew, latin = page.locator(".log .text").evaluate_all(
        "texts => texts.map(text => text.getBoundingClientRect().left)"
    )
    right = page.locator(".log .text").first.evaluate("text => text.getBoundingClientRect().right")
    assert hebrew == latin
    assert right < hebrew + 200
