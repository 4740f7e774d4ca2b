"""Point 6: writing a message."""

from typing import Any

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_said, join, say, wait_joined
from .server import Server

COMPOSE = """field => {
  const enter = { key: "Enter", bubbles: true, cancelable: true };
  field.dispatchEvent(new KeyboardEvent("keydown", { ...enter, isComposing: true }));
  field.dispatchEvent(new KeyboardEvent("keydown", { ...enter, keyCode: 229 }));
}"""


def test_enter_sends_shift_enter_breaks(tab: Tabs) -> None:
    page = tab("ada")
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect_said(page, "one\ntwo")
    expect(page.locator("textarea")).to_have_value("")
    expect(page.locator("textarea")).to_be_focused()


def test_enter_never_sends_while_an_input_method_composes(tab: Tabs) -> None:
    page = tab("ada")
    field = page.locator("textarea")
    field.fill("にほん")
    field.evaluate(COMPOSE)
    expect(field).to_have_value("にほん")
    page.keyboard.press("Enter")
    expect_said(page, "にほん")


def test_an_input_method_of_the_browser_s_own(tab: Tabs) -> None:
    page = tab("ada")
    session = page.context.new_cdp_session(page)
    session.send(
        "Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2}
    )
    expect(page.locator("textarea")).to_have_value("にほ")
    session.send("Input.insertText", {"text": "日本"})
    expect(page.locator("textarea")).to_have_value("日本")
    page.keyboard.press("Enter")
    expect_said(page, "日本")


def test_nothing_but_white_space_is_not_sent(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "  \n ", "real")
    expect_said(page, "real")


def test_the_field_grows_with_what_is_in_it(tab: Tabs) -> None:
    page = tab("ada")
    field = page.locator("textarea")
    small = field.evaluate("field => field.offsetHeight")
    field.fill("line\n" * 5)
    assert field.evaluate("field => field.offsetHeight") > small * 3
    field.fill("")
    assert field.evaluate("field => field.offsetHeight") == small


AT_THE_END = """() => {
  const { scrollHeight, scrollTop, clientHeight } = document.querySelector(".pane");
  return scrollHeight - scrollTop - clientHeight < 1;
}"""


def test_the_room_is_followed_while_a_long_message_is_written(server: Server, tab: Tabs) -> None:
    fill(server, "lobby", [f"message {number}" for number in range(60)])
    page = tab("ada")
    expect(page.locator(".log .text").last).to_be_in_viewport()
    for number in range(6):
        page.keyboard.type(f"line {number}")
        page.keyboard.press("Shift+Enter")
        page.wait_for_function(AT_THE_END)
    say(tab("bo"), "meanwhile")
    expect(page.locator(".log .text").last).to_have_text("meanwhile")
    expect(page.locator(".log .text").last).to_be_in_viewport()
    expect(page.locator(".latest")).to_be_hidden()


def test_a_draft_is_kept_for_each_room(tab: Tabs) -> None:
    page = tab("ada")
    page.locator("textarea").fill("half a thought")
    page.goto("room/attic")
    wait_joined(page)
    expect(page.locator("textarea")).to_have_value("")
    page.goto("room/lobby")
    wait_joined(page)
    expect(page.locator("textarea")).to_have_value("half a thought")
    page.keyboard.press("Enter")
    expect_said(page, "half a thought")
    page.reload()
    wait_joined(page)
    expect(page.locator("textarea")).to_have_value("")


def test_a_counter_near_the_limit_and_no_way_over_it(tab: Tabs) -> None:
    page = tab("ada")
    counter = page.locator(".counter")
    page.locator("textarea").fill("x" * 1_000)
    expect(counter).to_be_hidden()
    page.locator("textarea").fill("😀" * 1_999)  # code points, as the server counts
    expect(counter).to_have_text("1 character left")
    page.locator("textarea").fill("x" * 2_003)
    expect(counter).to_have_text("3 characters too many")
    page.keyboard.press("Enter")
    expect(page.locator("textarea")).to_have_value("x" * 2_003)
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect_said(page, "x" * 2_000)


def test_names_are_completed(tab: Tabs) -> None:
    ada = tab("ada")
    tab("bob")
    tab("bonnie")
    expect(ada.locator("button.count")).to_have_text("3 here")
    ada.keyboard.type("hi @bo")
    expect(ada.get_by_role("option")).to_have_text(["bob", "bonnie"])
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("Enter")
    expect(ada.locator("textarea")).to_have_value("hi @bonnie ")
    ada.keyboard.type("and @bo")
    ada.keyboard.press("Tab")
    expect(ada.locator("textarea")).to_have_value("hi @bonnie and @bob ")
    ada.keyboard.type("@bob")
    expect(ada.get_by_role("option")).to_have_count(1)
    ada.keyboard.press("Enter")  # nothing was chosen: it sends
    expect_said(ada, "hi @bonnie and @bob @bob")


def test_arrow_up_recalls(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "one", "two")
    page.keyboard.press("ArrowUp")
    expect(page.locator("textarea")).to_have_value("two")
    page.keyboard.press("ArrowUp")
    expect(page.locator("textarea")).to_have_value("one")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("textarea")).to_have_value("")


def test_slash_commands(tab: Tabs) -> None:
    ada, bo = tab("ada"), tab("bo")
    say(ada, "/nonsense")
    expect(ada.locator(".alert")).to_contain_text("no command /nonsense")
    expect(ada.locator("textarea")).to_have_value("/nonsense")
    say(ada, "/help")
    expect(ada.get_by_role("dialog", name="Help")).to_be_visible()
    ada.keyboard.press("Escape")
    say(ada, "/name Ada L", "it is me")
    expect_said(bo, "it is me")
    expect(bo.locator(".log .name")).to_have_text("Ada L")
    say(ada, "/etc/hosts", "//name is a command")
    expect_said(bo, "it is me", "/etc/hosts", "/name is a command")
    say(ada, "/rooms")
    expect(ada.get_by_role("heading", level=1)).to_have_text("A chat room is a link.")
    expect(ada.get_by_role("link", name="lobby")).to_be_visible()


PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}


def test_on_a_phone_enter_breaks_and_the_button_sends(tab: Tabs) -> None:
    page = tab("ada", **PHONE)
    field = page.locator("textarea")
    expect(field).to_have_attribute("enterkeyhint", "enter")
    field.press_sequentially("one")
    field.press("Enter")
    field.press_sequentially("two")
    page.get_by_role("button", name="Send").tap()
    expect_said(page, "one\ntwo")
    field.fill("with a keyboard")
    field.press("Control+Enter")
    expect_said(page, "one\ntwo", "with a keyboard")


def test_two_tabs_have_two_drafts(context: Contexts) -> None:
    browser = context()
    one, two = join(browser.new_page(), "ada"), join(browser.new_page(), "ada")
    one.locator("textarea").fill("a long text")
    two.locator("textarea").fill("b")
    one.reload()
    wait_joined(one)
    expect(one.locator("textarea")).to_have_value("a long text")
    say(two, "sent")
    one.reload()
    wait_joined(one)
    expect(one.locator("textarea")).to_have_value("a long text")


DROP = """field => {
  const data = new DataTransfer();
  data.items.add(new File(["x"], "picture.png", { type: "image/png" }));
  const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  return field.dispatchEvent(drop);
}"""


def test_a_file_that_is_dropped_does_not_take_the_page_away(tab: Tabs) -> None:
    page = tab("ada")
    assert page.locator(".pane").evaluate(DROP) is False  # the browser does nothing of its own
    expect(page.locator(".alert")).to_have_text("Files can't be sent here.")
    say(page, "words can")
    expect(page.locator(".alert")).to_be_empty()


def test_a_complaint_ends_with_the_next_command(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "/nonsense")
    expect(page.locator(".alert")).to_contain_text("no command")
    say(page, "/help")
    expect(page.locator(".alert")).to_be_empty()
