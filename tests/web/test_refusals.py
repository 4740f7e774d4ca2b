"""What the server refuses is said in words, and is not the end. Size: test_outbox.py."""

import resource

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .language import expect_nothing_pending, expect_said, join, say, wait_back
from .proxy import Proxy
from .server import Server


def test_a_disk_that_takes_no_more(server: Server, context: Contexts) -> None:
    page = context().new_page()
    page.clock.install()
    join(page, "ada")
    say(page, "one")
    expect_said(page, "one")
    assert server.process
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (200, hard))
    say(page, "two", "three")
    expect(page.locator(".alert")).to_contain_text("The server can't store messages now.")
    expect(page.locator(".outbox .text")).to_have_text(["two", "three"])
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    page.clock.fast_forward(3_000)
    expect_said(page, "one", "two", "three")
    expect_nothing_pending(page)
    expect(page.locator(".alert")).to_be_empty()


def test_an_address_that_the_server_does_not_know(server: Server, context: Contexts) -> None:
    """A proxy that gives the server another Host than the browser's."""
    proxy = Proxy(server.port, host="chat.localhost")
    page = context(proxy.address).new_page()
    page.clock.install()
    page.goto("room/lobby")
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    expect(page.locator(".room")).to_have_attribute("data-phase", "waiting")
    page.clock.fast_forward(3_000)
    expect(page.locator(".banner .reason")).to_contain_text("takes no chat from this address")
    say(page, "can you hear me?")
    server.stop()
    server.options += ("--allow-origin", proxy.address.removesuffix("/chat/"))
    server.start()
    wait_back(page)
    expect_said(page, "can you hear me?")
    expect(page.locator(".banner")).to_be_hidden()
    proxy.stop()


def test_a_character_that_can_t_be_sent(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "a\u0007b")
    expect(page.locator(".outbox .failed")).to_contain_text("characters that can't be sent")
    say(page, "and on")
    expect_said(page, "and on")
