"""Point 7: what is written in a message, as nodes and never as markup."""

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .crowd import fill
from .language import expect_said, say
from .payloads import PAYLOADS
from .server import Server

KNOWN = {"A", "ARTICLE", "BDI", "CODE", "DIV", "EM", "HEADER", "P", "PRE", "SPAN", "TIME"}
ELEMENTS = "log => [...new Set([...log.querySelectorAll('*')].map(({ tagName }) => tagName))]"
ATTRIBUTES = "log => [...log.querySelectorAll('*')].flatMap(e => e.getAttributeNames())"
HREFS = "log => [...log.querySelectorAll('.text a')].map(link => link.protocol)"


def test_links_code_and_emphasis(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "see https://example.org/a?b=c#d, www.example.org and me@example.org, not main.py")
    links = page.locator(".text a")
    expect(links).to_have_count(3)
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.org/a?b=c#d",
        "https://www.example.org",
        "mailto:me@example.org",
    ]
    for link in links.all():
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
        expect(link).to_have_attribute("target", "_blank")
    say(page, "*so* `let a` `https://example.org`", "```\nfenced <b>\n```")
    expect(page.locator(".text em")).to_have_text("so")
    expect(page.locator(".text > code")).to_have_text(["let a", "https://example.org"])
    expect(page.locator("pre code")).to_have_text("fenced <b>")
    expect(links).to_have_count(3)


def test_no_payload_makes_an_element(server: Server, tab: Tabs) -> None:
    page = tab("ada")
    assert len(PAYLOADS) >= 60
    fill(server, "lobby", PAYLOADS, name="<img src=x onerror=alert(1)>"[:32])
    expect(page.locator(".log .row")).to_have_count(len(PAYLOADS))
    expect(page.locator(".text a").first).to_be_attached()
    log = page.locator(".log")
    assert set(log.evaluate(ELEMENTS)) <= KNOWN
    assert not [
        name for name in log.evaluate(ATTRIBUTES) if name.startswith("on") or name == "style"
    ]
    assert set(log.evaluate(HREFS)) <= {"https:", "http:", "mailto:"}


def test_payloads_as_names_and_rooms(context: Contexts, tab: Tabs) -> None:
    ada = tab("ada")
    for number, payload in enumerate(PAYLOADS[:10]):
        other = tab(payload[:32])
        expect(ada.locator("button.count")).to_have_text(f"{number + 2} here")
        expect(other.locator(".people")).to_contain_text(payload[:32])
    for element in ("script", "img", "iframe", "svg script"):
        assert ada.locator(f".room {element}").count() == 0
    page = context().new_page()
    page.goto("room/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    assert page.locator("main img").count() == 0


def test_a_pile_of_marks_stays_in_its_line(tab: Tabs) -> None:
    page = tab("ada")
    say(page, "a" + "\u0301" * 1_999)
    say(page, "\u0301" * 2_000)
    expect(page.locator(".log .text")).to_have_text(["a" + "\u0301" * 8, "\u0301" * 8])
    assert page.locator(".log").evaluate("log => log.scrollHeight") < 200


def test_a_thousand_letters_without_a_blank_do_not_widen_the_page(tab: Tabs) -> None:
    page = tab("ada", viewport={"width": 390, "height": 844})
    say(page, "x" * 2_000, "```\n" + "y" * 1_900 + "\n```")
    expect(page.locator(".log .row")).to_have_count(2)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    expect_said(page, "x" * 2_000, "y" * 1_900)
