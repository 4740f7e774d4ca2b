"""Point 13: installed, and there without its server."""

import pytest
from playwright.sync_api import expect

from .conftest import Contexts
from .language import expect_said, join, say, wait_back
from .proxy import Proxy
from .server import Server

SHELL = """async () => {
  await navigator.serviceWorker.ready;
  const keys = await caches.keys();
  return keys.length === 1 && (await (await caches.open(keys[0])).keys()).length > 30;
}"""


def test_a_reload_without_the_server_shows_the_room_and_what_waits(
    server: Server, context: Contexts
) -> None:
    page = join(context(service_workers="allow").new_page(), "ada")
    page.wait_for_function(SHELL)
    server.stop()
    say(page, "written without a server")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("lobby")
    expect(page.locator(".outbox .text")).to_have_text("written without a server")
    expect(page.locator(".banner")).to_contain_text("What you write waits here")
    say(page, "and more")
    server.start()
    wait_back(page)
    expect_said(page, "written without a server", "and more")


@pytest.mark.parametrize("status", [502, 503, 404, 429])
def test_a_proxy_that_answers_for_a_server_that_is_away(
    status: int, server: Server, context: Contexts
) -> None:
    proxy = Proxy(server.port)
    page = join(context(proxy.address, service_workers="allow").new_page(), "ada")
    page.wait_for_function(SHELL)
    server.stop()
    proxy.status = status
    say(page, "written without a server")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("lobby")
    expect(page.locator(".outbox .text")).to_have_text("written without a server")
    page.goto("./?lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("A chat room is a link.")
    page.goto("nothing")
    expect(page.locator("body")).to_contain_text("a proxy" if status == 404 else "A chat room")
    proxy.stop()


def test_the_front_page_too(server: Server, context: Contexts) -> None:
    page = join(context(service_workers="allow").new_page(), "ada")
    page.wait_for_function(SHELL)
    server.stop()
    page.goto("./")
    expect(page.get_by_role("link", name="lobby")).to_be_visible()
    page.get_by_role("link", name="lobby").click()
    expect(page.locator("textarea")).to_be_focused()


def test_the_manifest_lets_it_be_installed(server: Server, context: Contexts) -> None:
    page = context().new_page()
    page.goto("./")
    manifest = page.evaluate("async () => (await fetch('manifest.webmanifest')).json()")
    assert manifest["start_url"] == "./"
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert page.evaluate("async src => (await fetch(src)).status", icon["src"]) == 200
