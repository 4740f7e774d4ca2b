"""Pages of other sites: the JavaScript client, and a room in a frame, as docs/examples has them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .language import join, say
from .proxy import Proxy
from .server import Server
from .site import Site, another_site

DOCUMENT = (Path(__file__).parents[2] / "docs" / "javascript.md").read_text()
DARK, LIGHT = "rgb(21, 24, 26)", "rgb(251, 250, 247)"
BACKGROUND = "() => getComputedStyle(document.documentElement).backgroundColor"


@pytest.fixture
def site() -> Iterator[Site]:
    with another_site() as site:
        yield site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that has no error."""
    context = browser.new_context(locale="en-GB", service_workers="block")
    troubles: list[str] = []
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert troubles == []


def serve_for(serve: Callable[..., Server], site: Site, *options: str) -> Server:
    server = serve("--message-interval", "0", *options)
    site.chat = server.address.rstrip("/")
    return server


def member(page: Page, server: Server, room: str) -> Page:
    """Somebody in the room by the server's own page."""
    assert page.context.browser
    other = page.context.browser.new_page(base_url=server.address, locale="en-GB")
    return join(other, "bo", room)


def test_the_client_says_and_hears_and_loses_nothing(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    server = serve_for(serve, site, "--allow-origin", site.origin)
    page.goto(f"{site.origin}/client.html")
    bo = member(page, server, "lobby")
    expect(bo.locator("aside.people")).to_contain_text("ada")
    say(bo, "hello")
    field, lines = page.get_by_label("Message"), page.locator("li")
    expect(lines).to_have_text(["bo: hello"])
    field.fill("how are you?")
    field.press("Enter")
    expect(lines).to_have_text(["bo: hello", "I: how are you?"])
    server.stop()
    field.fill("while it is away")
    field.press("Enter")
    page.reload(wait_until="commit")  # the server is away, and so is the client's code
    server.start()
    page.reload()
    expect(lines).to_have_text(["bo: hello", "ada: how are you?", "I: while it is away"])
    expect(bo.locator(".log .text")).to_have_text(["hello", "how are you?", "while it is away"])
    bo.close()


def test_the_client_without_websockets(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    server = serve_for(serve, site, "--allow-origin", site.origin)
    proxy = Proxy(server.port)
    proxy.upgrades = "refused"
    site.chat = proxy.address.rstrip("/")
    page.goto(f"{site.origin}/client.html")
    bo = member(page, server, "lobby")
    page.get_by_label("Message").fill("can you hear me?")
    page.get_by_label("Message").press("Enter")
    expect(bo.locator(".log .text")).to_have_text(["can you hear me?"])
    say(bo, "yes")
    expect(page.locator("li")).to_have_text(["I: can you hear me?", "bo: yes"])
    bo.close()
    proxy.stop()


def test_the_client_tells_what_ends_a_room(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    serve_for(serve, site, "--allow-origin", site.origin)
    page.goto(f"{site.origin}/nothing.html")
    script = """async ([chat, room, name, text]) => {
      const { open, Refused, RoomError } = await import(`${chat}/client.js`);
      try {
        const room_ = await open(`${chat}/room/${room}`, name);
        if (text) await room_.say(text);
        const joined = room_.names.join();
        const token = room_.token;
        room_.close();
        const events = [];
        for await (const event of room_) events.push(event.kind);
        return `${joined} ${token} ${events} ${room_.token?.seq}`;
      } catch (error) {
        return `${error instanceof RoomError} ${error instanceof Refused} ${error.code}`;
      }
    }"""
    for room, name, text, wanted in (
        ("lobby", "ada", "", "ada null ready 0"),
        ("0" * 64, "ada", "", "true false not_found"),
        ("lobby", "a\u202eb", "", "true false bad_name"),
        ("lobby", "ada", "x" * 2001, "true true message_too_long"),
        ("lobby", "ada", " ", "true true empty_message"),
    ):
        assert page.evaluate(script, [site.chat, room, name, text]) == wanted


def test_the_client_reads_what_was_said_before(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    server = serve_for(serve, site, "--allow-origin", site.origin)
    bo = member(page, server, "lobby")
    for text in ("one", "Two words", "three", "two more"):
        say(bo, text)
    expect(bo.locator(".log .text")).to_have_count(4)
    server.stop()
    file = server.data / "rooms" / "public" / "lobby.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"three"', b'"tree"'))  # damage
    server.start()
    page.goto(f"{site.origin}/nothing.html")
    script = """async ([chat, options]) => {
      const { open } = await import(`${chat}/client.js`);
      const room = await open(`${chat}/room/lobby`, "ada", { backlog: 0 });
      const said = [];
      for await (const { seq, name, message, live, mine } of room.history(options))
        said.push([seq, name, message, live, mine].join());
      room.close();
      return said;
    }"""
    one, two = "1,bo,one,false,false", "2,bo,Two words,false,false"
    last = "4,bo,two more,false,false"
    cases: list[tuple[dict[str, object], list[str]]] = [
        ({}, [last, two, one]),
        ({"limit": 1}, [last]),
        ({"after": 1}, [two, last]),
        ({"after": 0, "before": 4}, [one, two]),
        ({"q": "TWO"}, [last, two]),
        ({"q": "words two"}, [two]),
        ({"q": "nothing"}, []),
    ]
    for options, found in cases:
        assert page.evaluate(script, [site.chat, options]) == found, options
    bo.close()


def test_the_programs_of_the_document(serve: Callable[..., Server], site: Site, page: Page) -> None:
    """In one module, as they belong together: the first iterates for ever."""
    server = serve_for(serve, site, "--allow-origin", site.origin)
    bo = member(page, server, "lobby")
    say(bo, "the invoice is here")
    expect(bo.locator(".log .text")).to_have_count(1)
    page.goto(f"{site.origin}/nothing.html")
    said: list[str] = []
    page.on("console", lambda message: said.append(re.sub(r"^[0-9]{13}", "(then)", message.text)))
    first, second = re.findall(r"^```js\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    begin, end = first.split("for await", 1)
    code = f"{begin}{second}for await{end}".replace("https://chat.example", site.chat)
    with page.expect_console_message(lambda message: message.text == "ada Hello!"):
        page.add_script_tag(type="module", content=code)
    with page.expect_console_message(lambda message: message.text == "bo bye"):
        say(bo, "bye")
    wanted = ["(then) ada Hello!", "(then) bo the invoice is here", "1 the invoice is here"]
    wanted += ["bo the invoice is here", "ada Hello!", "bo bye"]
    assert said == wanted
    bo.close()


def test_the_client_is_for_allowed_sites(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    serve_for(serve, site, "--allow-origin", "https://friend.example")
    page.goto(f"{site.origin}/nothing.html")
    load = "(chat) => import(`${chat}/client.js`).then(() => 'loaded', () => 'refused')"
    assert page.evaluate(load, site.chat) == "refused"


def test_a_room_in_a_frame(serve: Callable[..., Server], site: Site, page: Page) -> None:
    server = serve_for(serve, site, "--frame-ancestors", site.origin)
    page.goto(f"{site.origin}/embed.html")
    element = page.locator("iframe.edgechat")
    room = page.frame_locator("iframe.edgechat")
    expect(room.locator("button.count")).to_contain_text("here")  # by the name of data-name
    bo = member(page, server, "garden-club")
    expect(bo.locator("aside.people")).to_contain_text("Visitor")
    room.get_by_role("textbox", name="Message").fill("I bring seeds")
    room.get_by_role("textbox", name="Message").press("Enter")
    expect(bo.locator(".log .text")).to_have_text(["I bring seeds"])
    box = element.bounding_box()
    assert box
    assert box["height"] == 24 * 16
    body = page.evaluate("() => document.body.clientWidth")
    assert box["width"] == body
    assert room.locator("html").evaluate(BACKGROUND) == DARK  # the system's is light
    expect(room.locator(".home")).to_be_hidden()
    expect(element).to_have_attribute("title", "Chat: garden-club")
    bo.close()


def test_a_frame_has_the_system_s_colours_and_a_size_that_a_site_can_change(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    serve_for(serve, site, "--frame-ancestors", site.origin)
    page.goto(f"{site.origin}/nothing.html")
    page.evaluate(
        """(chat) => {
          document.body.innerHTML = '<style>.small { block-size: 100px; inline-size: 50% }</style>';
          const script = document.createElement("script");
          Object.assign(script, { type: "module", src: `${chat}/embed.js` });
          script.dataset.room = "lobby";
          document.body.append(script);
        }""",
        site.chat,
    )
    element = page.locator("iframe.edgechat")
    room = page.frame_locator("iframe.edgechat")
    expect(room.locator(".join input")).to_be_visible()  # nobody gave a name
    assert room.locator("html").evaluate(BACKGROUND) == LIGHT
    page.emulate_media(color_scheme="dark")
    assert room.locator("html").evaluate(BACKGROUND) == DARK
    assert element.evaluate("(frame) => frame.clientHeight") == 30 * 16
    element.evaluate("(frame) => frame.classList.add('small')")
    assert element.evaluate("(frame) => frame.clientHeight") == 100


@pytest.mark.parametrize("allowed", [(), ("--frame-ancestors", "https://friend.example")])
def test_a_link_where_the_site_is_not_allowed(
    allowed: tuple[str, ...], serve: Callable[..., Server], site: Site, page: Page
) -> None:
    serve_for(serve, site, *allowed)
    page.goto(f"{site.origin}/embed.html")
    link = page.get_by_role("link", name="Chat with the garden club")
    expect(link).to_have_attribute("href", f"{site.chat}/room/garden-club")
    expect(page.locator("iframe")).to_have_count(0)
    with page.expect_popup() as opened:
        link.click()
    expect(opened.value.locator(".join input")).to_be_visible()


def test_a_frame_that_is_not_allowed_stays_empty(
    serve: Callable[..., Server], site: Site, page: Page
) -> None:
    """The browser keeps to it, whatever a page does."""
    serve_for(serve, site)
    page.goto(f"{site.origin}/nothing.html")
    page.evaluate(
        """(chat) => new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = `${chat}/room/lobby?embed=1`;
          document.body.append(frame);
        })""",
        site.chat,
    )
    expect(page.frame_locator("iframe").locator("main")).to_have_count(0)
