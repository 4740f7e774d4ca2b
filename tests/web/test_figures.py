"""What the page weighs and what a message costs it.

Bounds are wide where they are times; `-s` shows the figures.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from playwright.sync_api import Request, expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_newest, wait_joined
from .server import Server

WEB = Path(__file__).parents[2] / "web"
# Time each frame that the page handles, from outside of it.
TIMED = """() => {
  const set = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage").set;
  Object.defineProperty(WebSocket.prototype, "onmessage", { set(handler) {
    set.call(this, (event) => {
      const start = performance.now();
      handler?.call(this, event);
      if (event.data.includes('"message"')) performance.measure("arrival", { start });
    });
  } });
}"""
USABLE = """() => document.activeElement?.matches("textarea")
  && document.querySelector(".room").dataset.phase === "open" """
DURATIONS = "() => performance.getEntriesByName('arrival').map(entry => entry.duration)"


def packed(address: str) -> int:
    """The bytes of an asset as they travel."""
    file = WEB / address.split("/assets/")[1].split("/", 1)[1]
    return len(gzip.compress(file.read_bytes(), 9))


def first_load(requests: list[Request], room: bool) -> tuple[int, int]:
    scripts = [each.url for each in requests if each.url.endswith((".js", ".css"))]
    weight = sum(packed(url) for url in scripts)
    where = "a room by its link" if room else "the front page"
    print(f"\nfirst load of {where}: {len(requests)} requests, {weight} bytes of JS and CSS")
    return len(requests), weight


def test_the_weight_of_the_first_load(context: Contexts) -> None:
    page = context().new_page()
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    page.goto("./")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    count, weight = first_load(requests, room=False)
    assert count <= 15
    assert weight <= 40 * 1024


def test_the_weight_of_a_room_opened_by_its_link(tab: Tabs, context: Contexts) -> None:
    page = context().new_page()
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    page.goto("room/lobby")
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    wait_joined(page)
    page.wait_for_load_state("networkidle")
    _, weight = first_load(requests, room=True)
    assert weight <= 40 * 1024


def test_a_usable_field_soon(tab: Tabs, context: Contexts) -> None:
    known = tab("ada").context.storage_state()
    page = context(storage_state=known).new_page()  # the name is known, and nothing is cached
    for what in ("the first visit", "the second"):
        page.goto("room/lobby")
        page.wait_for_function(USABLE, polling="raf")
        soon = page.evaluate("() => performance.now()")
        print(f"\na usable field {soon:.0f} ms after {what} began")
        page.goto("about:blank")


def test_a_message_costs_little_with_500_rows_shown(server: Server, context: Contexts) -> None:
    fill(server, "lobby", [f"before {number}" for number in range(600)])
    page = context().new_page()
    page.add_init_script(f"({TIMED})()")
    page.goto("room/lobby")
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    wait_joined(page)
    fill(server, "lobby", [f"to fill {number}" for number in range(450)], name="bo")
    expect_newest(page, 1050)
    assert 490 <= page.locator(".row").count() <= 575
    page.evaluate("() => performance.clearMeasures()")
    words = "a message of the usual length, *with* `code` and a word for @ada"
    fill(server, "lobby", [f"{number} {words}" for number in range(1_000)], name="bo")
    expect_newest(page, 2050)
    costs = sorted(page.evaluate(DURATIONS))
    mean, most, many = (
        sum(costs) / len(costs),
        costs[-1],
        costs[len(costs) * 99 // 100],
    )
    print(f"\n1,000 arrivals: {mean:.2f} ms mean, {many:.2f} for 99 in 100, {most:.2f} most")
    assert len(costs) == 1_000
    assert costs[500] < 4  # the median: on a busy machine a few wait for the processor
