"""Point 4: reading moves nothing but what the reader moves."""

from playwright.sync_api import expect

from .conftest import Tabs
from .crowd import fill
from .language import expect_newest, say, seqs
from .past import write_past
from .server import Server

TOP_ROW = """() => {
  const top = document.querySelector(".pane").getBoundingClientRect().top;
  const rows = [...document.querySelectorAll(".log .row")];
  const row = rows.find((each) => each.getBoundingClientRect().bottom > top + 1);
  return [Number(row.dataset.seq), row.querySelector(".text").getBoundingClientRect().bottom - top];
}"""
# To the top and at once note where the first row is; then wait for the page of history above it.
TO_TOP = """() => {
  const pane = document.querySelector(".pane");
  pane.scrollTop = 0;
  const row = document.querySelector(".log .row");
  const place = () => row.querySelector(".text").getBoundingClientRect().bottom;
  const before = place();
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (document.querySelector(".log .row") === row) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(Math.abs(place() - before))));
    });
    observer.observe(document.querySelector(".log"), { childList: true });
  });
}"""
COUNT = "() => document.querySelectorAll('.row').length"


def texts(count: int) -> list[str]:
    return [
        f"message {number} " + "and so on " * (number * 7 % 40) for number in range(1, count + 1)
    ]


def test_fifty_pages_back_move_the_row_being_read_by_a_pixel_at_most(
    server: Server, tab: Tabs
) -> None:
    fill(server, "long", texts(10_000))
    page = tab("reader", "long")
    moves, rows = [], []
    for _ in range(50):
        moves.append(page.evaluate(TO_TOP))
        rows.append(page.evaluate(COUNT))
    print(f"\n50 pages back: {max(moves):.1f} px moved at most, {max(rows)} rows at most")
    assert max(moves) <= 1
    assert max(rows) <= 600
    assert seqs(page)[0] == 10_000 - 100 - 50 * 100 + 1
    shown = seqs(page)
    assert shown == list(range(shown[0], shown[0] + len(shown)))


def test_a_history_of_a_hundred_thousand(server: Server, tab: Tabs) -> None:
    write_past(server.data, "long", ((n, "ada", f"message {n}") for n in range(1, 100_001)))
    page = tab("reader", "long")
    expect_newest(page, 100_000)
    for seq in (50_000, 1, 99_999):
        page.evaluate("seq => { location.hash = seq }", seq)
        expect(page.locator(".row.linked .text")).to_have_text(f"message {seq}")
        expect(page.locator(".row.linked")).to_be_in_viewport()
        assert page.evaluate(COUNT) <= 600
    say(page, "and one")
    expect_newest(page, 100_001)


def test_back_down_again_to_the_newest(server: Server, tab: Tabs) -> None:
    fill(server, "long", texts(1_500))
    page = tab("reader", "long")
    for _ in range(8):
        page.evaluate(TO_TOP)
    assert seqs(page)[-1] < 1_500
    say(tab("other", "long"), "one more")
    while seqs(page)[-1] < 1_501:
        last = seqs(page)[-1]
        page.evaluate(
            "() => { const pane = document.querySelector('.pane'); pane.scrollTop = 1e9 }"
        )
        page.wait_for_function(
            "last => Number([...document.querySelectorAll('.log .row')].at(-1).dataset.seq) > last",
            arg=last,
        )
    shown = seqs(page)
    assert shown == list(range(shown[0], 1_502))


def test_what_arrives_while_one_reads_moves_nothing_and_is_counted(
    server: Server, tab: Tabs
) -> None:
    fill(server, "lobby", texts(100))
    reader, other = tab("reader"), tab("other")
    reader.evaluate("() => { document.querySelector('.pane').scrollTop -= 1500 }")
    expect(reader.locator(".latest")).to_be_visible()
    before = reader.evaluate(TOP_ROW)
    say(other, "one", "two", "three")
    expect(reader.locator(".latest")).to_have_text("3 new ↓")
    assert reader.evaluate(TOP_ROW) == before
    reader.locator(".latest").click()
    expect(reader.locator(".log .text").last).to_be_in_viewport()
    expect(reader.locator(".latest")).to_be_hidden()


def test_at_the_end_the_page_follows(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", texts(100))
    reader, other = tab("reader"), tab("other")
    for number in range(5):
        say(other, f"line {number}\n" * 10)
        expect(reader.locator(".log .text").last).to_contain_text(f"line {number}")
        reader.wait_for_function(
            "() => { const pane = document.querySelector('.pane');"
            " return pane.scrollHeight - pane.scrollTop - pane.clientHeight < 2 }"
        )


def test_thousands_of_arrivals_leave_about_five_hundred_rows(server: Server, tab: Tabs) -> None:
    reader = tab("reader")
    fill(server, "lobby", texts(2_000))
    expect_newest(reader, 2000)
    assert reader.evaluate(COUNT) <= 600
    reader.evaluate("() => { document.querySelector('.pane').scrollTop -= 3000 }")
    expect(reader.locator(".latest")).to_be_visible()
    fill(server, "lobby", texts(1_000))
    expect(reader.locator(".latest")).to_have_text("1,000 new ↓")
    assert reader.evaluate(COUNT) <= 600
    reader.locator(".latest").click()
    expect_newest(reader, 3000)


def test_what_i_say_from_far_up_is_shown(server: Server, tab: Tabs) -> None:
    fill(server, "long", texts(1_000))
    page = tab("reader", "long")
    for number in range(5):
        page.evaluate("seq => { location.hash = seq }", 300 + number)
        expect(page.locator(".row.linked .text")).to_be_in_viewport()
        say(page, f"my words {number}")
        expect(page.locator(".log .text").last).to_have_text(f"my words {number}")
        expect(page.locator(".log .text").last).to_be_in_viewport()
        shown = seqs(page)
        assert shown == list(range(shown[0], 1_001 + number + 1))


def test_to_the_latest_while_others_talk(server: Server, tab: Tabs) -> None:
    fill(server, "long", texts(1_000))
    page = tab("reader", "long")
    page.evaluate("() => { location.hash = 300 }")
    expect(page.locator(".row.linked")).to_be_visible()
    page.locator(".latest").click()
    fill(server, "long", texts(100))
    expect_newest(page, 1100)
    shown = seqs(page)
    assert shown == list(range(shown[0], 1_101))
