"""The little language of these tests: what a person does in a room, and what a person sees."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

TOUCH = "() => matchMedia('(pointer: coarse)').matches"
REQUIRED = os.environ.get("EDGECHAT_REQUIRE_BROWSER") == "1"


def need(what: str, found: bool) -> None:
    """Skip with a word where a tool is missing, fail where it has to be there."""
    if found:
        return
    if REQUIRED:
        pytest.fail(f"{what} is missing, and EDGECHAT_REQUIRE_BROWSER=1 asks for it")
    pytest.skip(f"{what} is missing")


def join(page: Page, name: str, room: str = "lobby") -> Page:
    """A browser that knows a name joins by itself."""
    page.goto(f"room/{room}")
    field = page.locator(".join input")
    expect(page.locator(".join input, button.count").filter(visible=True)).to_have_count(1)
    if field.count():
        field.fill(name)
        field.press("Enter")
    wait_joined(page)
    return page


def wait_joined(page: Page) -> None:
    expect(page.locator("button.count")).to_contain_text("here")


def say(page: Page, *texts: str) -> None:
    for text in texts:
        page.get_by_role("textbox", name="Message").fill(text)
        page.keyboard.press("Control+Enter" if page.evaluate(TOUCH) else "Enter")


def expect_said(page: Page, *texts: str) -> None:
    """These messages and no others are in the log, in this order."""
    expect(page.locator(".log .text")).to_have_text(list(texts))


def expect_newest(page: Page, seq: int) -> None:
    """The newest row. To draw thousands of messages takes a busy machine most of a minute."""
    newest = page.locator(".log .row").last
    expect(newest).to_have_attribute("data-seq", str(seq), timeout=60_000)


def expect_nothing_pending(page: Page) -> None:
    expect(page.locator(".outbox .row")).to_have_count(0)


NOTE_ALERTS = """() => {
  const alert = document.querySelector(".alert");
  window.alerts = [];
  const note = () => window.alerts.push(alert.textContent);
  new MutationObserver(note).observe(alert, { childList: true });
}"""


def note_alerts(page: Page) -> None:
    """An alert may end by itself before a test looks."""
    page.evaluate(NOTE_ALERTS)


def expect_alerted(page: Page, text: str) -> None:
    page.wait_for_function("text => window.alerts.some((each) => each.includes(text))", arg=text)


def seqs(page: Page) -> list[int]:
    rows = "rows => rows.map(row => Number(row.dataset.seq))"
    found: list[int] = page.locator(".log .row").evaluate_all(rows)
    return found


def stop_clock(page: Page) -> None:
    """The clock of a page that has one installed goes on only when it is told to."""
    now = page.evaluate("() => Date.now()")
    page.clock.pause_at(datetime.fromtimestamp(now / 1000 + 1, UTC))


HURRY = """() => {
  const { phase } = document.querySelector(".room").dataset;
  if (phase === "waiting") window.dispatchEvent(new Event("online"));
  return phase === "open";
}"""


def wait_back(page: Page) -> None:
    """Connected again, without the back-off: a network that is back is a reason to try at once."""
    page.wait_for_function(HURRY, polling=50)
