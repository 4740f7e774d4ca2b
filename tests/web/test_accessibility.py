"""Point 11: by keyboard, by ear, by finger, in forced colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_said, need, say, wait_joined
from .server import Server

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
VIOLATIONS = """async tags => {
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "forced colours": {"forced_colors": "active"},
    "narrow": {"viewport": {"width": 320, "height": 640}},
}
SMALL_TARGETS = """() => [...document.querySelectorAll("button, a, input, textarea, select")]
  .filter((each) => each.checkVisibility() && !each.closest(".text"))
  .filter((each) => !each.matches(".when, .skip"))
  .filter((each) => each.offsetWidth < 24 || each.offsetHeight < 24)
  .map((each) => each.outerHTML)"""


def check(page: Page) -> None:
    need("axe-core (npm ci)", AXE.exists())
    page.evaluate(AXE.read_text())
    violations = page.evaluate(VIOLATIONS, RULES)
    print(f"\n{len(violations)} axe violations: {page.title()}")
    assert violations == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("look", LOOKS)
def test_axe_on_the_front_page(look: str, context: Contexts) -> None:
    page = context(**LOOKS[look]).new_page()
    page.goto("./")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check(page)


@pytest.mark.parametrize("look", LOOKS)
def test_axe_in_a_room_with_everything_in_it(
    look: str, server: Server, context: Contexts, tab: Tabs
) -> None:
    page = context(**LOOKS[look]).new_page()
    page.goto("room/lobby")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    check(page)
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    wait_joined(page)
    check(page)
    bo = tab("bo")
    bo.keyboard.type("more")
    expect(page.locator(".typing")).not_to_be_empty()
    check(page)
    say(bo, "hello @ada", "see https://example.org", "`code` *and*", "```\nblock\n```", "שלום")
    expect(page.locator(".log .row")).to_have_count(5)
    expect(page.locator(".text a")).to_be_visible()
    check(page)
    server.stop()
    say(page, "this waits")
    expect(page.locator(".banner")).to_be_visible()
    expect(page.locator(".outbox .fate")).to_be_visible()
    check(page)


OPENERS: dict[str, Callable[[Page], None]] = {
    "People here": lambda page: page.locator("button.count").click(),
    "Share this room": lambda page: page.get_by_role("button", name="Share").click(),
    "Settings": lambda page: page.get_by_role("button", name="Settings").click(),
    "Help": lambda page: say(page, "/help"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_in_each_dialog(look: str, tab: Tabs) -> None:
    page = tab("ada", **LOOKS[look])
    for name, open_dialog in OPENERS.items():
        open_dialog(page)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        check(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_journey_by_keyboard_alone(context: Contexts, tab: Tabs) -> None:
    page = context().new_page()
    page.goto("./")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type("lobby")
    page.keyboard.press("Enter")
    wait_joined(page)
    page.keyboard.type("hello")  # the field has the focus already
    page.keyboard.press("Enter")
    expect_said(page, "hello")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("() => document.activeElement.matches('.share')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Share this room")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.matches('.share')")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    page.keyboard.press("Escape")


def test_the_skip_button_leads_to_the_field(tab: Tabs) -> None:
    page = tab("ada")
    page.locator(".skip").focus()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("textarea")).to_be_focused()


def test_a_screen_reader_hears_additions_and_not_the_backlog(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", ["old"] * 3)
    live = """() => {
      window.spoken = [];
      new MutationObserver((records) => {
        const log = document.querySelector("[role=log]");
        for (const { addedNodes, target } of records) {
          if (target === log && log.getAttribute("aria-live") === "polite")
            window.spoken.push(...[...addedNodes].map((node) => node.textContent));
        }
      }).observe(document, { childList: true, subtree: true });
    }"""
    page = tab("ada")
    log = page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-relevant", "additions")
    page.add_init_script(f"({live})()")
    page.reload()
    wait_joined(page)
    expect(page.locator(".log .row")).to_have_count(3)
    expect(log).to_have_attribute("aria-live", "polite")
    assert page.evaluate("() => window.spoken") == []
    say(tab("bo"), "news")
    expect(page.locator(".log .row")).to_have_count(4)
    page.wait_for_function("() => window.spoken.some(text => text.includes('news'))")


def test_motion_can_be_turned_off(tab: Tabs) -> None:
    page = tab("ada", reduced_motion="reduce")
    moving = "() => getComputedStyle(document.querySelector('button.send')).transitionDuration"
    assert set(page.evaluate(moving).split(", ")) <= {"0s", "0ms"}


def test_nothing_zooms_by_itself_and_zoom_is_not_blocked(tab: Tabs) -> None:
    page = tab("ada", **LOOKS["phone"])
    size = page.locator("textarea").evaluate(
        "field => parseFloat(getComputedStyle(field).fontSize)"
    )
    assert size >= 16
    viewport = page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "maximum-scale" not in viewport
    assert "user-scalable" not in viewport
