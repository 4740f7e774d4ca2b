"""Point 8: telling somebody who does not look."""

import re

from playwright.sync_api import Page, expect

from .conftest import Contexts, Tabs
from .language import expect_said, join, say
from .test_orientation import LOOK, LOOK_AWAY

NOTE = """() => {
  window.notes = [];
  window.Notification = class {
    static permission = "default";
    static async requestPermission() { return (this.permission = "granted"); }
    constructor(title) { window.notes.push(title); }
  };
}"""


def icon(page: Page) -> str:
    return page.locator("link[rel=icon]").get_attribute("href") or ""


def test_the_title_counts_and_the_icon_has_a_dot(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    expect(ada).to_have_title("lobby · EdgeChat")
    plain = icon(ada)
    ada.evaluate(LOOK_AWAY)
    say(bo, "one", "two")
    expect(ada).to_have_title("(2) lobby · EdgeChat")
    assert icon(ada) != plain
    say(bo, "and @ada?")
    expect(ada).to_have_title("(@ 3) lobby · EdgeChat")
    expect(ada.locator(".row.calls")).to_have_count(1)
    ada.evaluate(LOOK)
    expect(ada).to_have_title("lobby · EdgeChat")
    assert icon(ada) == plain


def test_a_count_that_does_not_load_is_no_failure(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    ada.evaluate(LOOK_AWAY)
    ada.route("**/notify.js", lambda route: route.abort(), times=1)
    with ada.expect_event("requestfailed"):
        say(bo, "one")
    say(bo, "two")
    expect(ada).to_have_title("(2) lobby · EdgeChat")
    expect(ada.locator(".broken")).to_have_count(0)


def test_a_notification_for_a_mention_only_and_only_if_asked_for(
    context: Contexts, tab: Tabs
) -> None:
    page = context().new_page()
    page.add_init_script(f"({NOTE})()")
    ada, bo = join(page, "ada"), tab("bo")
    ada.evaluate(LOOK_AWAY)
    say(bo, "@ada one")
    expect(ada).to_have_title(re.compile("1"))
    assert ada.evaluate("() => window.notes") == []
    assert ada.evaluate("() => Notification.permission") == "default"  # nobody was asked unasked
    ada.get_by_role("button", name="Settings").click()
    expect(ada.get_by_label("A sound when I am mentioned")).not_to_be_checked()
    ada.get_by_label("Notify me when I am mentioned").check()
    ada.get_by_role("button", name="Save").click()
    say(bo, "not for you", "@ada two")
    expect_said(ada, "@ada one", "not for you", "@ada two")
    ada.wait_for_function("() => window.notes.length > 0")
    assert ada.evaluate("() => window.notes") == ["bo in lobby"]


def test_a_browser_that_refuses_is_explained(context: Contexts) -> None:
    page = context().new_page()
    page.add_init_script("Notification.requestPermission = async () => 'denied'")
    join(page, "ada")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Notify me when I am mentioned").click()
    expect(page.get_by_role("dialog")).to_contain_text("does not allow it")
    expect(page.get_by_label("Notify me when I am mentioned")).not_to_be_checked()
