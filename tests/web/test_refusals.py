"""What the server refuses is said in words, and is not the end. Size: test_outbox.py."""

import re
import resource

from playwright.sync_api import WebSocketRoute, expect

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
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (60, hard))
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


def test_characters_that_can_t_be_sent_are_not(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "a\u0007b", "\u0003", "from a slide\u000band a PDF\fpasted")
    expect_said(page, "ab", "from a slide\nand a PDF\npasted")
    expect_nothing_pending(page)


def test_a_history_that_can_t_be_read_is_not_a_full_server(context: Contexts) -> None:
    page = context().new_page()

    def refuse(route: WebSocketRoute) -> None:
        route.send('{"error":"not read","code":"storage_unavailable"}')
        route.close(code=1013, reason="")

    page.route_web_socket(re.compile("/websocket$"), refuse)
    page.goto("room/lobby")
    page.clock.install()
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    expect(page.locator(".room")).to_have_attribute("data-phase", "waiting")
    page.clock.fast_forward(2_000)
    expect(page.locator(".banner .reason")).to_contain_text("can't read this room's history")
