"""Point 2: nothing typed is lost, and nothing is said twice."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute, expect

from .conftest import Contexts, Tabs
from .language import (
    expect_alerted,
    expect_nothing_pending,
    expect_said,
    join,
    note_alerts,
    say,
    seqs,
    stop_clock,
    wait_back,
    wait_joined,
)
from .server import Server


def pending(page: Page, *texts: str) -> None:
    expect(page.locator(".outbox .text")).to_have_text(list(texts))


def test_what_is_said_while_the_server_is_down_comes_once_and_in_order(
    server: Server, tab: Tabs
) -> None:
    page = tab("ada")
    say(page, "before")
    expect_said(page, "before")
    server.stop()
    say(page, "one", "two", "three")
    pending(page, "one", "two", "three")
    expect(page.locator(".outbox .fate").first).to_have_css("visibility", "visible")
    server.start()
    expect_said(page, "before", "one", "two", "three")
    expect_nothing_pending(page)
    assert seqs(page) == [1, 2, 3, 4]


def test_it_comes_also_after_a_reload(server: Server, context: Contexts) -> None:
    page = join(context(service_workers="allow").new_page(), "ada")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    server.stop()
    say(page, "one", "two")
    pending(page, "one", "two")
    page.reload()
    pending(page, "one", "two")
    server.start()
    wait_back(page)
    expect_said(page, "one", "two")
    assert seqs(page) == [1, 2]


def test_the_mark_appears_only_after_a_moment(tab: Tabs) -> None:
    page = tab("ada")
    page.evaluate("() => { WebSocket.prototype.send = () => {} }")
    say(page, "hello")
    animation = page.locator(".outbox .fate").evaluate(
        "mark => mark.getAnimations()[0].effect.getTiming().delay"
    )
    assert animation == 300
    expect(page.locator(".outbox .fate")).to_have_text("Waiting to be sent …")


def test_without_its_echo_it_is_said_again_and_stored_once(context: Contexts, tab: Tabs) -> None:
    page = context().new_page()
    said: list[str] = []

    def swallow_the_first_echo(route: WebSocketRoute) -> None:
        upstream = route.connect_to_server()

        def to_server(frame: str | bytes) -> None:
            if "message" in json.loads(frame):
                said.append(str(frame))
            upstream.send(frame)

        def to_page(frame: str | bytes) -> None:
            if not ("message" in json.loads(frame) and len(said) == 1):
                route.send(frame)

        route.on_message(to_server)
        upstream.on_message(to_page)

    page.route_web_socket(re.compile("/websocket$"), swallow_the_first_echo)
    page.clock.install()
    join(page, "ada")
    bo = tab("bo")
    stop_clock(page)  # else a slow machine says it again before the test looks
    say(page, "hello")
    expect_said(bo, "hello")
    pending(page, "hello")
    page.clock.fast_forward(9_000)
    expect_nothing_pending(page)
    assert len(said) == 2
    assert said[0] == said[1]
    say(bo, "and now?")
    expect_said(bo, "hello", "and now?")


def test_refused_for_good_is_marked_with_ways_on(
    serve: Callable[..., Server], context: Contexts
) -> None:
    server = serve("--message-interval", "0", "--max-message-chars", "10")
    page = context(server.address).new_page()
    join(page, "ada")
    page.evaluate(
        """() => {
          const key = 'edgechat:/:outbox:lobby:' + 'a'.repeat(32);
          const [id, text] = ['a'.repeat(32), 'much longer than ten'];
          const entry = { id, order: 1, name: 'ada', text, failed: null };
          localStorage.setItem(key, JSON.stringify(entry));
        }"""
    )
    page.reload()
    wait_joined(page)
    failed = page.locator(".outbox .failed")
    expect(failed).to_contain_text("Not sent. It is longer than this room allows.")
    say(page, "short")
    expect_said(page, "short")
    failed.get_by_role("button", name="Retry").click()
    expect(failed).to_contain_text("Not sent.")
    failed.get_by_role("button", name="Delete").click()
    expect_nothing_pending(page)
    page.reload()
    wait_joined(page)
    expect_nothing_pending(page)


def test_too_fast_waits_and_goes_by_itself_in_order(
    serve: Callable[..., Server], context: Contexts
) -> None:
    server = serve("--message-interval", "1", "--message-grace", "1")
    page = join(context(server.address).new_page(), "ada")
    note_alerts(page)
    texts = [f"message {number}" for number in range(4)]
    server.stop()
    say(page, *texts)
    server.start()
    wait_back(page)  # they go at once, however slowly they were typed
    expect_said(page, *texts)
    expect_nothing_pending(page)
    expect_alerted(page, "goes by itself")
    expect(page.locator(".alert")).to_be_empty()


def test_two_tabs_of_one_person_do_not_say_it_twice(server: Server, context: Contexts) -> None:
    browser = context()
    one = join(browser.new_page(), "ada")
    two = join(browser.new_page(), "ada")
    server.stop()
    say(one, "from one")
    pending(two, "from one")
    say(two, "from two")
    for page in (one, two):
        pending(page, "from one", "from two")
    server.start()
    for page in (one, two):
        expect_said(page, "from one", "from two")
        expect_nothing_pending(page)


WRITTEN_BEFORE = """() => {
  const entry = { id: "a".repeat(32), order: 0, name: "ada", text: "older", failed: null };
  localStorage.setItem("edgechat:/:outbox:lobby:" + entry.id, JSON.stringify(entry));
}"""


def test_what_another_tab_wrote_before_stands_before(server: Server, context: Contexts) -> None:
    browser = context()
    one = join(browser.new_page(), "ada")
    two = join(browser.new_page(), "ada")
    server.stop()
    say(two, "newer", "newest")
    one.evaluate(WRITTEN_BEFORE)
    pending(two, "older", "newer", "newest")
    one.close()  # it was not told what it wrote in this way
    server.start()
    wait_back(two)
    expect_said(two, "older", "newer", "newest")


def test_two_tabs_can_be_two_people(server: Server, context: Contexts) -> None:
    browser = context()
    ada = join(browser.new_page(), "ada")
    bo = browser.new_page()
    join_as(bo, "bo")
    server.stop()
    say(ada, "I am ada")
    expect_nothing_pending(bo)
    server.start()
    expect_said(bo, "I am ada")
    expect(bo.locator(".log .name")).to_have_text("ada")


def join_as(page: Page, name: str) -> None:
    """A browser that knows a name joins by itself; the command takes another one."""
    page.goto("room/lobby")
    wait_joined(page)
    say(page, f"/name {name}")
    expect(page.locator(".people .you")).to_have_count(1)
    expect(page.locator(".people")).to_contain_text(name)


def test_a_full_storage_loses_nothing_while_the_tab_is_open(server: Server, tab: Tabs) -> None:
    page = tab("ada")
    page.evaluate(
        """() => {
          let size = 1 << 22;
          for (; size; size >>= 1) {
            try { localStorage.setItem('filler' + size, 'x'.repeat(size)) } catch {}
          }
        }"""
    )
    server.stop()
    say(page, "there is no room for this")
    pending(page, "there is no room for this")
    expect(page.locator(".alert")).to_contain_text("storage is full")
    server.start()
    expect_said(page, "there is no room for this")
    expect_nothing_pending(page)


def test_a_refused_new_name_strands_nothing(server: Server, tab: Tabs) -> None:
    page = tab("bob")
    server.stop()
    say(page, "under any name", "/name bo\u200db")  # the page can't know what is joined
    server.start()
    wait_for_the_form(page)
    page.locator(".join input").fill("bobby")
    page.locator(".join input").press("Enter")
    expect_said(page, "under any name")
    expect(page.locator(".log .name")).to_have_text("bobby")
    expect_nothing_pending(page)


def wait_for_the_form(page: Page) -> None:
    expect(page.locator(".join .complaint")).to_contain_text("invisible or control characters")


REFUSED = """([id, failed]) => {
  const entry = { id, order: 1, name: 'ada', text: 'a typo', failed };
  localStorage.setItem('edgechat:/:outbox:lobby:' + id, JSON.stringify(entry));
}"""


def test_what_was_refused_can_be_edited(tab: Tabs) -> None:
    page = tab("ada")
    page.evaluate(REFUSED, ["a" * 32, "bad_message"])
    page.reload()
    failed = page.locator(".outbox .failed")
    expect(failed).to_contain_text("It has characters that can't be sent.")
    expect(failed.get_by_role("button")).to_have_text(["Edit", "Delete"])  # the same fails again
    page.locator("textarea").fill("a draft")
    failed.get_by_role("button", name="Edit").click()
    expect(page.locator("textarea")).to_have_value("a typo\na draft")  # and nothing is lost
    expect(page.locator("textarea")).to_be_focused()
    expect_nothing_pending(page)
    page.keyboard.press("Enter")
    expect_said(page, "a typo\na draft")


def test_what_never_left_can_be_edited_while_the_server_is_away(server: Server, tab: Tabs) -> None:
    page = tab("ada")
    server.stop()
    expect(page.locator(".room")).to_have_attribute("data-phase", "waiting")
    say(page, "one", "two")
    pending(page, "one", "two")
    page.locator(".outbox .row").nth(1).hover()
    page.locator(".outbox .row").nth(1).get_by_role("button", name="Edit").click()
    pending(page, "one")
    page.keyboard.type(" and more")
    page.keyboard.press("Enter")
    pending(page, "one", "two and more")
    server.start()
    wait_back(page)
    expect_said(page, "one", "two and more")


def test_what_may_be_stored_already_can_t_be_edited(tab: Tabs) -> None:
    page = tab("ada")
    page.evaluate("() => { WebSocket.prototype.send = () => {} }")
    say(page, "on its way")
    pending(page, "on its way")
    expect(page.locator(".outbox .edit")).to_have_count(0)


def test_what_another_name_left_unsent_is_shown(server: Server, context: Contexts) -> None:
    browser = context()
    page = join(browser.new_page(), "bo")
    server.stop()
    say(page, "of bo", "of bo too")
    pending(page, "of bo", "of bo too")
    page.close()
    server.start()
    page = browser.new_page()
    page.clock.install()
    page.add_init_script("sessionStorage.setItem('edgechat:/:name', '\"ada\"')")
    join(page, "ada")
    expect(page.locator("button.count")).to_have_text("1 here")
    strays = page.locator(".strays .row")
    expect(strays).to_have_count(0)  # a tab of bo's might be about to send it
    page.wait_for_load_state("networkidle")
    page.clock.fast_forward(11_000)
    expect(strays).to_have_count(2)
    expect(strays.first).to_contain_text("bo wrote this in this browser, and it was not sent.")
    strays.first.get_by_role("button", name="Send as mine").click()
    expect_said(page, "of bo")
    expect(page.locator(".log .name")).to_have_text("ada")
    strays.get_by_role("button", name="Delete").click()
    expect(strays).to_have_count(0)
    assert page.evaluate("() => Object.keys(localStorage).filter(key => /outbox/.test(key))") == []
