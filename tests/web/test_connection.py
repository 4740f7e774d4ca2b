"""Point 3: what is wrong, when it is tried again, and ways to try now."""

import json
import re

from playwright.sync_api import Page, WebSocketRoute, expect

from .conftest import Contexts, Tabs
from .language import expect_said, join, say, wait_back
from .proxy import Proxy
from .server import Server


def phase(page: Page, wanted: str) -> None:
    expect(page.locator(".room")).to_have_attribute("data-phase", wanted)


# When the connection was lost, and when the banner said so.
NOTE_TIMES = """() => {
  const [room, banner] = [document.querySelector(".room"), document.querySelector(".banner")];
  new MutationObserver(() => {
    if (room.dataset.phase !== "open") window.lost ||= performance.now();
    if (!banner.hidden) window.told ||= performance.now();
  }).observe(room, { attributes: true, subtree: true });
}"""


def test_the_banner_says_what_is_wrong_counts_down_and_tries_now(
    server: Server, context: Contexts
) -> None:
    page = context().new_page()
    page.add_init_script("Math.random = () => 1")  # the longest waits
    page.clock.install()
    join(page, "ada")
    page.evaluate(NOTE_TIMES)
    server.stop()
    for _ in range(6):  # after some tries the next one is half a minute away
        phase(page, "waiting")
        page.clock.fast_forward(30_000)
    phase(page, "waiting")
    expect(page.locator(".banner")).to_be_visible()
    assert page.evaluate("() => told - lost") > 1_900  # a hiccup is not worth a word
    expect(page.locator(".banner .reason")).to_contain_text("What you write waits here")
    expect(page.locator(".banner .countdown")).to_have_text(re.compile(r"Trying again in \d+ s"))
    server.start()
    page.get_by_role("button", name="Try now").click()
    phase(page, "open")
    expect(page.locator(".banner")).to_be_hidden()


def test_a_network_that_is_back_and_a_look_at_the_page_try_at_once(
    server: Server, context: Contexts
) -> None:
    page = context().new_page()
    page.add_init_script("Math.random = () => 1")
    page.clock.install()
    join(page, "ada")
    for event in (
        "window.dispatchEvent(new Event('online'))",
        "document.dispatchEvent(new Event('visibilitychange'))",
    ):
        server.stop()
        phase(page, "waiting")
        page.clock.fast_forward(2_000)
        phase(page, "waiting")  # and the next try is seconds away
        server.start()
        page.evaluate(event)
        phase(page, "open")


def test_a_half_open_socket_is_found(context: Contexts, tab: Tabs) -> None:
    """Nothing comes and nothing closes: the ping that nobody answers tells."""
    page = context().new_page()
    sockets: list[WebSocketRoute] = []

    def swallow(route: WebSocketRoute) -> None:
        upstream = route.connect_to_server()
        sockets.append(route)
        first = len(sockets) == 1

        def to_page(frame: str | bytes) -> None:
            held = first and "ready" not in json.loads(frame) and "joined" not in json.loads(frame)
            if not held:
                route.send(frame)

        upstream.on_message(to_page)

    page.route_web_socket(re.compile("/websocket$"), swallow)
    page.clock.install()
    join(page, "ada")
    say(tab("bo"), "can you hear me?")
    page.clock.fast_forward(20_000)
    page.clock.fast_forward(8_000)
    page.clock.fast_forward(1_000)
    expect_said(page, "can you hear me?")
    assert len(sockets) == 2


def test_a_server_that_does_not_want_it_back_is_left_alone(context: Contexts) -> None:
    page = context().new_page()
    sockets: list[WebSocketRoute] = []

    def refuse(route: WebSocketRoute) -> None:
        sockets.append(route)
        route.close(code=1008, reason="abuse")

    page.route_web_socket(re.compile("/websocket$"), refuse)
    page.goto("room/lobby")
    page.clock.install()
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    expect(page.locator(".banner")).to_contain_text("does not want it back")
    page.clock.fast_forward(120_000)
    assert len(sockets) == 1


def test_nobody_is_asked_for_a_name_in_a_room_that_does_not_exist(context: Contexts) -> None:
    page = context().new_page()
    page.goto(f"room/{'0' * 64}")
    expect(page.locator(".join h2")).to_contain_text("There is no such room")
    page.get_by_role("link", name="All rooms").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A chat room is a link.")


def test_a_room_that_does_not_exist_takes_no_words(context: Contexts) -> None:
    page = join(context().new_page(), "ada")
    page.goto(f"room/{'0' * 64}")
    expect(page.locator(".banner")).to_contain_text("There is no such room")
    expect(page.locator("textarea")).to_be_hidden()
    page.locator(".banner").get_by_role("link", name="All rooms").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A chat room is a link.")


def test_a_gateway_s_404_is_not_the_room_s(server: Server, context: Contexts) -> None:
    """While the chat is replaced, its proxy answers for it."""
    proxy = Proxy(server.port)
    page = context(proxy.address).new_page()
    page.goto("room/lobby")
    page.clock.install()
    expect(page.locator(".join input")).to_be_visible()  # all of the page has come
    proxy.status = 404
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    phase(page, "waiting")
    page.clock.fast_forward(2_000)
    expect(page.locator(".banner")).to_contain_text("What you write waits here")
    proxy.status = 0
    wait_back(page)
    proxy.stop()


def test_a_proxy_that_hangs_is_given_up(server: Server, context: Contexts) -> None:
    proxy = Proxy(server.port)
    page = context(proxy.address).new_page()
    page.add_init_script("Math.random = () => 1")
    page.goto("room/lobby")
    page.clock.install()
    expect(page.locator(".join input")).to_be_visible()
    proxy.silent = True
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    phase(page, "connecting")
    page.clock.fast_forward(10_000)
    expect(page.locator(".banner .countdown")).to_have_text(re.compile(r"Trying again in \d+ s"))
    page.clock.fast_forward(30_000)
    phase(page, "connecting")
    page.clock.fast_forward(3_500)
    proxy.silent = False
    page.evaluate("window.dispatchEvent(new Event('online'))")
    phase(page, "open")
    proxy.stop()


def test_a_message_without_an_echo_finds_a_dead_connection(context: Contexts) -> None:
    page = context().new_page()
    page.clock.install()
    join(page, "ada")
    page.evaluate("() => { WebSocket.prototype.send = () => {} }")  # nothing gets through any more
    say(page, "hello?")
    page.clock.fast_forward(3_000)  # the echo is missed
    page.clock.fast_forward(8_000)  # and so is the answer to the ping
    expect(page.locator(".room")).not_to_have_attribute("data-phase", "open")
