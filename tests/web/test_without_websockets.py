"""A network that lets no WebSocket through: the page goes on by events and posts, and returns."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from .conftest import Contexts, Tabs
from .language import (
    expect_alerted,
    expect_nothing_pending,
    expect_said,
    join,
    note_alerts,
    say,
    seqs,
    wait_back,
)
from .proxy import Proxy
from .server import Server

NOTE = "Your network blocks live connections."


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    proxy.upgrades = "refused"
    yield proxy
    proxy.stop()


def expect_by_http(page: Page, by_http: bool = True) -> None:
    expect(page.locator(".room")).to_have_attribute("data-http", str(by_http).lower())
    expect(page.locator(".room")).to_have_attribute("data-phase", "open")


@pytest.mark.parametrize("upgrades", ["refused", "dropped"])
def test_two_people_talk(upgrades: str, proxy: Proxy, context: Contexts) -> None:
    proxy.upgrades = upgrades
    ada, bo = (join(context(proxy.address).new_page(), name) for name in ("ada", "bo"))
    for page in (ada, bo):
        expect_by_http(page)
    say(ada, "can you hear me?")
    expect_said(bo, "can you hear me?")
    say(bo, "yes", "every word")
    for page in (ada, bo):
        expect_said(page, "can you hear me?", "yes", "every word")
        expect_nothing_pending(page)
    expect(ada.locator(".banner")).to_be_hidden()


def test_a_proxy_that_never_answers_an_upgrade(proxy: Proxy, context: Contexts) -> None:
    proxy.upgrades = "unanswered"
    page = context(proxy.address).new_page()
    page.goto("room/lobby")
    page.clock.install()
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    expect(page.locator(".room")).to_have_attribute("data-phase", "connecting")
    page.clock.fast_forward(10_000)
    expect_by_http(page)


def test_others_hear_but_do_not_see_who_follows_by_events(
    proxy: Proxy, context: Contexts, tab: Tabs
) -> None:
    ada = tab("ada")
    bo = join(context(proxy.address).new_page(), "bo")
    expect(bo.locator("button.count")).to_have_text("2 here")
    expect(bo.locator("aside.people li").first).to_contain_text("bo")
    expect(bo.locator("aside.people")).to_contain_text(NOTE)
    expect(bo.locator("aside.people")).not_to_contain_text("ada")
    say(bo, "I am here")
    expect_said(ada, "I am here")
    expect(ada.locator("button.count")).to_have_text("1 here")
    expect(ada.locator("aside.people")).not_to_contain_text("bo")


def test_it_comes_back_to_the_websocket(proxy: Proxy, context: Contexts, tab: Tabs) -> None:
    page, bo = context(proxy.address).new_page(), tab("bo")
    page.clock.install()
    join(page, "ada")
    expect_by_http(page)
    said: list[str] = []

    def pass_a_minute() -> None:
        """Not in silence: the events would count as dead."""
        for _ in range(3):
            page.clock.fast_forward(21_000)
            said.append(f"message {len(said)}")
            say(bo, said[-1])
            expect_said(page, *said)

    pass_a_minute()  # a WebSocket is tried, in vain
    expect_by_http(page)
    proxy.upgrades = "passed"
    expect_by_http(page)  # the next try is two minutes after the one before
    for _ in range(3):
        pass_a_minute()
    expect_by_http(page, False)
    said.append("by WebSocket")
    say(page, said[-1])
    expect_said(page, *said)
    expect_said(bo, *said)
    expect(page.locator("aside.people")).not_to_contain_text(NOTE)
    expect(bo.locator("aside.people")).to_contain_text("ada")


def test_nothing_is_lost_or_doubled_over_restarts(
    server: Server, proxy: Proxy, context: Contexts, tab: Tabs
) -> None:
    page = join(context(proxy.address).new_page(), "ada")
    other = tab("bo")
    said = []
    for number in range(3):
        said += [f"before {number}", f"while away {number}"]
        say(page, said[-2])
        expect_said(other, *said[:-1])
        server.stop()
        expect(page.locator(".room")).not_to_have_attribute("data-phase", "open")
        say(page, said[-1])
        server.start()
        wait_back(other)
        wait_back(page)
        expect_said(page, *said)
        expect_said(other, *said)
    assert seqs(page) == seqs(other) == [1, 2, 3, 4, 5, 6]
    expect_by_http(page)


def test_an_answer_that_is_lost_on_the_way_stores_nothing_twice(
    server: Server, proxy: Proxy, context: Contexts
) -> None:
    """The server stores the message, the answer does not come: it is said again with its id."""
    page = join(context(proxy.address).new_page(), "ada")
    expect_by_http(page)
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(str(route.request.post_data))
        route.fetch()
        route.abort()

    page.route("**/messages", lose, times=1)
    say(page, "once")
    expect_said(page, "once")
    expect_nothing_pending(page)
    assert len(lost) == 1
    say(page, "twice")
    expect_said(page, "once", "twice")
    assert seqs(page) == [1, 2]


def test_refusals_are_those_of_a_websocket(serve: Callable[..., Server], context: Contexts) -> None:
    strict = serve("--message-interval", "6", "--message-grace", "6", "--max-message-chars", "20")
    proxy = Proxy(strict.port)
    proxy.upgrades = "refused"
    page = context(proxy.address).new_page()
    page.goto("room/lobby")
    page.locator(".join input").fill("a\u200db")
    page.locator(".join input").press("Enter")
    expect(page.locator(".join .complaint")).to_contain_text("can't be used")
    page.locator(".join input").fill("ada")
    page.locator(".join input").press("Enter")
    expect_by_http(page)
    say(page, "x" * 21)
    expect(page.locator(".counter")).to_have_text("1 character too many")
    note_alerts(page)
    say(page, "one", "two", "three")
    expect_alerted(page, "Too fast")
    expect_said(page, "one", "two", "three")
    expect_nothing_pending(page)
    proxy.stop()


def test_a_private_room_that_does_not_exist(proxy: Proxy, context: Contexts) -> None:
    page = join(context(proxy.address).new_page(), "ada")
    page.goto(f"room/{'0' * 64}")
    expect(page.locator(".banner")).to_contain_text("There is no such room")
