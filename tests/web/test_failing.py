"""A page that can't start, or that loses a part, says so in words."""

import pytest
from playwright.sync_api import Browser, expect

from .conftest import Contexts, Tabs
from .language import expect_said, join, say
from .server import Server


@pytest.mark.parametrize("tag", ["en-US@posix", "en-", "ar-EG_x", "constructor", "__proto__"])
def test_a_language_that_is_none(tag: str, context: Contexts) -> None:
    page = context().new_page()
    page.add_init_script(
        f"Object.defineProperty(navigator, 'languages', {{ get: () => [{tag!r}] }})"
    )
    say(join(page, "ada"), "hello")
    expect_said(page, "hello")
    page.goto(f"./?lang={tag}")
    expect(page.get_by_role("heading", level=1)).to_have_text("A chat room is a link.")


@pytest.mark.parametrize("lost", ["main.js", "message-row.js"])
def test_a_module_that_does_not_load(lost: str, browser: Browser, server: Server) -> None:
    page = browser.new_page(base_url=server.address)
    page.route(f"**/{lost}", lambda route: route.abort())
    page.goto("room/lobby")
    page.evaluate("() => document.getAnimations().forEach((each) => each.finish())")
    expect(page.locator(".starting")).to_contain_text("Reload the page")
    expect(page.locator(".starting")).to_be_visible()
    page.close()


def test_a_browser_too_old_for_the_modules(browser: Browser, server: Server) -> None:
    page = browser.new_page(base_url=server.address)
    page.route(
        "**/text.js", lambda route: route.fulfill(body="let = ;", content_type="text/javascript")
    )
    page.goto("room/lobby")
    page.evaluate("() => document.getAnimations().forEach((each) => each.finish())")
    expect(page.locator(".starting")).to_contain_text("newer browser")
    page.close()


def test_a_dialog_of_another_version_asks_for_a_reload(tab: Tabs) -> None:
    page = tab("ada")
    other = "import { renamed } from './dom.js'; export const open = renamed;"
    page.route(
        "**/dialog.js", lambda route: route.fulfill(body=other, content_type="text/javascript")
    )
    page.get_by_role("button", name="Settings").click()
    expect(page.locator(".alert")).to_contain_text("Reload")


def test_a_defect_says_so(browser: Browser, server: Server) -> None:
    page = join(browser.new_page(base_url=server.address), "ada")
    page.evaluate("() => { setTimeout(() => { throw new Error('a defect') }) }")
    expect(page.locator(".broken")).to_contain_text("Something on this page failed.")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator(".broken")).to_have_count(0)
    page.close()


def test_a_completion_that_does_not_load_is_no_failure(tab: Tabs) -> None:
    page = tab("ada")
    page.route("**/completion.js", lambda route: route.abort())
    page.locator("textarea").press_sequentially("hi @a")
    page.keyboard.press("Enter")
    expect_said(page, "hi @a")
    expect(page.locator(".broken")).to_have_count(0)
