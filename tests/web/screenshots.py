"""Takes the pictures in docs/screenshots/ anew: `python -m tests.web.screenshots`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from .conftest import launch
from .language import join, say
from .server import Server

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
}
ROOM = "garden-club"
TALK = [
    ("ada", "Good morning! The seedlings survived the night."),
    ("ada", "All but one tray of basil."),
    ("bo", "Oh no. I can bring some of mine, I have far too many."),
    ("bo", "They look like this in the catalogue: https://example.org/basil?kind=genovese"),
    ("chinedu", "@ada I am at the shed from 10. *Who has the key?*"),
    ("ada", "Under the third pot. The code is `4711`."),
    ("דנה", "בוקר טוב! אני מגיעה בתשע וחצי."),
    ("bo", "```\nwater   mon, thu\nweed    sat\n```"),
    ("ليلى", "صباح الخير، سأحضر الشاي."),
    ("chinedu", "Perfect. See you all there."),
]


class Photographer:
    """Opens tabs of the one server and photographs them."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser = browser
        self.server = server

    def tab(self, **options: Any) -> Page:
        context = self.browser.new_context(
            base_url=self.server.address, locale="en-GB", reduced_motion="reduce", **options
        )
        return context.new_page()

    def in_room(self, name: str, room: str = ROOM, **options: Any) -> Page:
        return join(self.tab(**options), name, room)

    def talk(self) -> None:
        """The people of the garden club come, speak and stay."""
        people = {name: self.in_room(name) for name in dict.fromkeys(name for name, _ in TALK)}
        said = []
        for name, text in TALK:
            say(people[name], text)
            said.append(text)
            expect(people[name].locator(".log .row")).to_have_count(len(said))


def picture(page: Page, name: str) -> None:
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.screenshot(path=PICTURES / f"{name}.png")


def landing(taker: Photographer) -> None:
    for scheme in ("light", "dark"):
        page = taker.tab(**DESKTOP, color_scheme=scheme)
        page.goto("./")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        picture(page, f"landing-{scheme}")
    page = taker.tab(**PHONE)
    page.goto("./")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    picture(page, "landing-phone")
    page = taker.tab(**DESKTOP)
    page.goto("./?lang=ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    picture(page, "landing-arabic")


def room(taker: Photographer) -> None:
    for scheme in ("light", "dark"):
        page = taker.in_room("ada", **DESKTOP, color_scheme=scheme)
        expect(page.locator(".text a")).to_be_visible()
        picture(page, f"room-{scheme}")
    picture(taker.in_room("ada", **PHONE), "room-phone")
    page = taker.tab(**PHONE)
    page.goto(f"room/{ROOM}")
    expect(page.locator(".join h2")).to_be_visible()
    picture(page, "join-phone")


def sharing(taker: Photographer) -> None:
    page = taker.tab(**DESKTOP)
    page.goto("./")
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Make a private room").click()
    page.get_by_role("button", name="Share").click()
    expect(page.locator(".qr svg")).to_be_visible()
    picture(page, "private-sharing")


def failed(taker: Photographer) -> None:
    page = taker.in_room("ada", **DESKTOP)
    say(page, "x\u0007: a character that can't be sent")
    expect(page.locator(".failed")).to_be_visible()
    picture(page, "failed-message")
    page.get_by_role("button", name="Delete").click()


def offline(taker: Photographer) -> None:
    page = taker.in_room("ada", **DESKTOP)
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
        data.mkdir()
        server = Server(data, "--message-interval", "0")
        server.start()
        taker = Photographer(launch(playwright), server)
        taker.talk()
        for act in acts:
            act(taker)
        taker.browser.close()
        server.stop()


if __name__ == "__main__":
    main()
