"""Point 14: below a path, and in a frame."""

import re

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_said, join, say, wait_joined
from .proxy import Proxy
from .server import Server


def test_everything_works_below_a_path(server: Server, context: Contexts) -> None:
    proxy = Proxy(server.port)
    fill(server, "lobby", [f"message {number}" for number in range(1, 301)])
    page = context(proxy.address, service_workers="allow").new_page()
    page.goto("./")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Room name").fill("lobby")
    page.get_by_label("Room name").press("Enter")
    wait_joined(page)
    expect(page).to_have_url(f"{proxy.address}room/lobby")
    say(page, "from below")
    expect(page.locator(".log .text").last).to_have_text("from below")
    page.goto("room/lobby#7")
    expect(page.locator(".row.linked .text")).to_have_text("message 7")
    page.get_by_role("link", name="All rooms").click()
    expect(page).to_have_url(proxy.address)
    page.get_by_role("button", name="Make a private room").click()
    wait_joined(page)
    expect(page).to_have_url(re.compile(r"/chat/room/[0-9a-f]{64}$"))
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    proxy.stop()


def test_embedded_without_chrome(context: Contexts, tab: Tabs) -> None:
    page = context().new_page()
    join(page, "ada", "lobby?embed=1")
    expect(page.locator(".home")).to_be_hidden()
    expect(page.locator("aside.people")).to_be_hidden()
    say(page, "from a frame")
    expect_said(tab("bo"), "from a frame")
    page.locator(".log .when").click()
    expect(page).to_have_url(re.compile(r"lobby\?embed=1#1$"))
