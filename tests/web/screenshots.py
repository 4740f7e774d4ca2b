"""Takes the pictures in docs/screenshots/ anew: `python -m tests.web.screenshots`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from .conftest import launch
from .language import join, say
from .past import Said, write_past
from .server import Server

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
HOST = "chat.example.org"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 840}}
FRONT: dict[str, Any] = {"viewport": {"width": 1280, "height": 880}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 832},
    "device_scale_factor": 1.5,
    "is_mobile": True,
    "has_touch": True,
}
ROOM = "garden-club"
TALK = [
    ("07:12", "ada", "Good morning! The seedlings survived the night."),
    ("07:12", "ada", "All but one tray of basil."),
    ("07:20", "bo", "Oh no. I have far too many: https://example.org/basil"),
    ("07:31", "chinedu", "@ada I am at the shed from 10. *Who has the key?*"),
    ("07:33", "ada", "Under the third pot. The code of the gate is `4711`."),
    ("07:50", "דנה", "בוקר טוב! אני מגיעה בתשע וחצי."),
    ("07:52", "bo", "And for the week:\n```\nwater   mon, thu\nweed    sat\n```"),
    ("08:04", "ليلى", "صباح الخير، سأحضر الشاي."),
    ("08:06", "chinedu", "Perfect. See you all there."),
]


def past() -> list[Said]:
    """The talk of a morning in June."""
    return [(stamp(when) + number, name, text) for number, (when, name, text) in enumerate(TALK)]


def stamp(when: str) -> int:
    said = datetime.strptime(f"2026-06-13 {when} +0000", "%Y-%m-%d %H:%M %z")
    return int(said.timestamp() * 1000)


class Photographer:
    """Opens tabs of the one server and photographs them."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser = browser
        self.server = server

    def tab(self, **options: Any) -> Page:
        options = {"locale": "en-GB", "timezone_id": "UTC", "reduced_motion": "reduce", **options}
        return self.browser.new_context(base_url=f"http://{HOST}/", **options).new_page()

    def in_room(self, name: str, room: str = ROOM, **options: Any) -> Page:
        return join(self.tab(**options), name, room)


def picture(page: Page, name: str) -> None:
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.screenshot(path=PICTURES / f"{name}.png")


def landing(taker: Photographer) -> None:
    for scheme in ("light", "dark"):
        page = taker.tab(**FRONT, color_scheme=scheme)
        page.goto("./")
        enter(page)
        picture(page, f"landing-{scheme}")
    page = taker.tab(**PHONE)
    page.goto("./")
    enter(page)
    picture(page, "landing-phone")
    page = taker.tab(**FRONT)
    page.goto("./?lang=ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    picture(page, "landing-arabic")


def enter(page: Page) -> None:
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Room name").fill(ROOM)


def room(taker: Photographer) -> None:
    friends = {name: taker.in_room(name) for name in {name for _, name, _ in TALK}}
    bo = friends["bo"]
    for form, options in {
        "light": DESKTOP,
        "dark": {**DESKTOP, "color_scheme": "dark"},
        "phone": PHONE,
    }.items():
        page = taker.in_room("ada", **options)
        expect(page.locator(".text a")).to_be_visible()
        bo.keyboard.type("Then ")
        expect(page.locator(".typing")).to_have_text("bo is typing …")
        picture(page, f"room-{form}")
        page.context.close()
        bo.reload()
    page = taker.tab(**PHONE)
    page.goto(f"room/{ROOM}")
    page.locator(".join input").fill("ada")
    picture(page, "join-phone")


def sharing(taker: Photographer) -> None:
    page = taker.tab(**DESKTOP)
    page.goto("./")
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Make a private room").click()
    say(page, "Let us plan the surprise for bo in here.")
    friend = join(taker.tab(), "chinedu", page.url.rpartition("/")[2])
    say(friend, "I have an idea …")
    expect(page.locator(".log .row")).to_have_count(2)
    page.get_by_role("button", name="Share").click()
    expect(page.locator(".qr svg")).to_be_visible()
    picture(page, "private-sharing")


REFUSED = """() => {
  const id = "a".repeat(32);
  const text = "From the catalogue, page 4: Genovese, 200 seeds";
  const entry = { id, order: 1, name: "ada", text, failed: "message_too_long" };
  localStorage.setItem(`edgechat:/:outbox:garden-club:${id}`, JSON.stringify(entry));
}"""


def failed(taker: Photographer) -> None:
    page = taker.in_room("ada", **DESKTOP)
    page.evaluate(REFUSED)
    page.reload()
    expect(page.locator(".failed").get_by_role("button", name="Edit")).to_be_visible()
    picture(page, "failed-message")
    page.get_by_role("button", name="Delete").click()


def offline(taker: Photographer) -> None:
    page = taker.in_room("ada", **DESKTOP)
    expect(page.locator(".text a")).to_be_visible()
    taker.server.stop()
    say(page, "I bring the watering can.", "And biscuits.")
    expect(page.locator(".banner")).to_be_visible()
    expect(page.locator(".outbox .fate").first).to_be_visible()
    picture(page, "offline-banner")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    acts: list[Callable[[Photographer], None]] = [landing, room, sharing, failed, offline]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        write_past(data, ROOM, past())
        server = Server(data, "--message-interval", "0", "--public-host", HOST)
        server.start()
        names = f"--host-resolver-rules=MAP {HOST}:80 127.0.0.1:{server.port}"
        taker = Photographer(launch(playwright, names), server)
        for act in acts:
            act(taker)
        taker.browser.close()
        server.stop()


if __name__ == "__main__":
    main()
