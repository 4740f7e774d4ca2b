"""Links to messages, damage in a history, and pages that do not come."""

import pytest
from playwright.sync_api import expect

from .conftest import Tabs
from .crowd import fill
from .language import say
from .past import write_past
from .server import Server
from .test_reading import texts

UP_TO_THE_FIRST = """() => {
  document.querySelector(".pane").scrollTop = 0;
  return document.querySelector(".log .row").dataset.seq === "1";
}"""

# A person sees where the page stands before going elsewhere: two frames, so that it knows as well.
SCROLL_TO = """row => new Promise(done => {
  row.scrollIntoView();
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""


def damage(server: Server, room: str, first: int, last: int) -> None:
    """Rubbish in place of these lines, as from a bad block of a disk; the newlines are left."""
    file = server.data / "rooms" / "public" / f"{room}.jsonl"
    lines = file.read_bytes().split(b"\n")
    for seq in range(first, last + 1):
        lines[seq] = b"x" * len(lines[seq])
    file.write_bytes(b"\n".join(lines))


def test_more_damage_than_a_page_holds_does_not_end_the_history(server: Server, tab: Tabs) -> None:
    write_past(server.data, "long", ((n, "ada", f"message {n}") for n in range(1, 601)))
    damage(server, "long", 150, 449)
    page = tab("reader", "long")
    for seq in (1, 100):
        page.evaluate("seq => { location.hash = seq }", seq)
        expect(page.locator(".row.linked .text")).to_have_text(f"message {seq}")
    page.locator(".latest").click()
    expect(page.locator(".log .row").last).to_have_attribute("data-seq", "600")
    page.wait_for_function(UP_TO_THE_FIRST, polling=100)
    expect(page.locator(".log .row").first).to_have_attribute("data-seq", "1")
    expect(page.locator(".beginning")).to_have_text("This is the beginning of long.")


@pytest.mark.parametrize("link", ["#999", "#99999999999999999999", "#1e3", "#0", "#-1", "#x"])
def test_a_link_to_no_message_leaves_the_room(link: str, server: Server, tab: Tabs) -> None:
    fill(server, "lobby", texts(10))
    page = tab("reader", f"lobby{link}")
    expect(page.locator(".log .row")).to_have_count(10)
    expect(page.locator(".empty")).to_be_hidden()
    expect(page.locator(".row.linked")).to_have_count(0)
    number = link.removeprefix("#")
    told = f"There is no message {number} to show here." if number.strip("0").isdigit() else ""
    expect(page.locator(".told")).to_have_text(told)
    say(tab("other"), "and on")
    expect(page.locator(".log .row")).to_have_count(11)


def test_a_link_to_a_damaged_message(server: Server, tab: Tabs) -> None:
    write_past(server.data, "long", ((n, "ada", f"message {n}") for n in range(1, 601)))
    damage(server, "long", 150, 449)
    page = tab("reader", "long#230")
    expect(page.locator(".told")).to_have_text("There is no message 230 to show here.")
    expect(page.locator(".log .row[data-seq='450']")).to_be_in_viewport()
    expect(page.locator(".row.linked")).to_have_count(0)


def test_a_page_that_could_not_be_loaded_has_a_button(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", texts(300))
    page = tab("reader")
    page.route("**/history?*", lambda route: route.abort())
    page.evaluate("() => { document.querySelector('.pane').scrollTop = 0 }")
    button = page.get_by_role("button", name="Messages could not be loaded. Try again")
    expect(button).to_be_visible()
    page.unroute("**/history?*")
    button.click()
    expect(page.locator(".log .row").first).to_have_attribute("data-seq", "101")
    expect(button).to_be_hidden()


def test_back_from_a_link_takes_the_mark_away(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", texts(50))
    page = tab("reader")
    page.evaluate("() => { location.hash = 7 }")
    expect(page.locator(".row.linked .text")).to_contain_text("message 7")
    page.go_back()
    expect(page.locator(".row.linked")).to_have_count(0)


def test_back_from_a_message_is_where_one_was(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", texts(600))
    page = tab("reader")
    last = page.locator(".log .row").last
    expect(last).to_be_in_viewport()
    for seq in (42, 300):
        page.evaluate("seq => { location.hash = seq }", seq)
        expect(page.locator(".row.linked")).to_have_attribute("data-seq", str(seq))
    page.go_back()
    expect(page.locator(".row.linked")).to_have_attribute("data-seq", "42")
    page.go_back()
    expect(page.locator(".row.linked")).to_have_count(0)
    expect(last).to_have_attribute("data-seq", "600")
    expect(last).to_be_in_viewport()


def test_back_to_a_place_further_up(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", texts(600))
    page = tab("reader")
    reading = page.locator("[data-seq='560']")
    reading.evaluate(SCROLL_TO)
    page.evaluate("() => { location.hash = 42 }")
    expect(page.locator(".row.linked")).to_have_attribute("data-seq", "42")
    page.go_back()
    expect(reading).to_be_in_viewport()
