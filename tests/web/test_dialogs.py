"""Dialogs: what closes them, and what they say that they did."""

import pytest
from playwright.sync_api import Page, expect

from .conftest import Contexts, Tabs
from .language import join

PLAIN_HTTP = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"


def test_copy_without_a_clipboard(context: Contexts) -> None:
    """As on plain http: the old way copies, and only then it is said."""
    page = context().new_page()
    page.add_init_script(PLAIN_HTTP)
    join(page, "ada")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("textarea").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("textarea")).to_have_value(page.url)


def test_what_was_not_copied_is_not_called_copied(context: Contexts) -> None:
    page = context().new_page()
    page.add_init_script(f"{PLAIN_HTTP}; document.execCommand = () => false")
    join(page, "ada")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Press Ctrl+C")).to_be_visible()


def box(page: Page) -> tuple[float, float, float]:
    found = page.get_by_role("dialog").bounding_box()
    assert found
    return found["x"], found["y"], found["height"]


def test_a_click_into_the_padding_closes_nothing(tab: Tabs) -> None:
    page = tab("ada")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("dialog").get_by_label("Your name").fill("half a na")
    x, y, _ = box(page)
    page.mouse.click(x + 10, y + 10)
    expect(page.get_by_role("dialog").get_by_label("Your name")).to_have_value("half a na")
    page.mouse.click(x - 20, y + 10)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_selection_that_ends_outside_closes_nothing(tab: Tabs) -> None:
    page = tab("ada")
    page.get_by_role("button", name="Settings").click()
    x, y, height = box(page)
    page.mouse.move(x + 60, y + height / 3)
    page.mouse.down()
    page.mouse.move(x - 30, y + height / 3)
    page.mouse.up()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_dialog_that_is_asked_for_twice_opens_once(tab: Tabs) -> None:
    """As by somebody who clicks again, because on a slow network nothing has come yet."""
    page = tab("ada")
    settings = page.get_by_role("button", name="Settings")
    settings.evaluate("(button) => { button.click(); button.click() }")
    expect(page.get_by_role("dialog")).to_be_visible()
    settings.evaluate("(button) => button.click()")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("dialog")).to_have_count(0)


def test_without_its_qr_code_a_link_is_still_shared(tab: Tabs) -> None:
    page = tab("ada")
    page.route("**/qr.js", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog").locator("input")).to_have_value(page.url)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".broken")).to_have_count(0)


@pytest.mark.parametrize(("name", "fits"), [("\U0001f600" * 32, True), ("a" * 33, False)])
def test_one_rule_for_names(name: str, fits: bool, context: Contexts) -> None:
    page = join(context().new_page(), "ada")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("dialog").get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Save").click()
    if fits:
        expect(page.locator(".people .you")).to_be_visible()
        expect(page.locator("aside.people")).to_contain_text(name)
    else:
        expect(page.get_by_role("dialog")).to_contain_text("1 to 32 characters")
        page.keyboard.press("Escape")
    page.goto("./")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Room name").fill("lobby")
    page.get_by_label("Room name").press("Enter")
    if fits:
        expect(page.locator("aside.people")).to_contain_text(name)
    else:
        expect(page.get_by_role("alert")).to_contain_text("1 to 32 characters")
