"""A room in a frame on another site's page."""

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect

from .server import Server


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served, and the origin of what is in it: another host than the chat's."""
    folder = tmp_path / "site"
    folder.mkdir()
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = Thread(target=served.serve_forever)
    thread.start()
    yield folder, f"http://localhost:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.mark.parametrize("allowed", [True, False])
def test_a_site_that_the_server_names_shows_the_room(
    allowed: bool, site: tuple[Path, str], serve: Callable[..., Server], browser: Browser
) -> None:
    folder, origin = site
    named = origin if allowed else "https://another.example"
    server = serve("--message-interval", "0", "--frame-ancestors", named)
    frame = f'<iframe src="{server.address}room/lobby?embed=1" width="400" height="500"></iframe>'
    (folder / "index.html").write_text(f"<!doctype html><title>A site</title>{frame}")
    page = browser.new_page()
    if not allowed:
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            page.goto(f"{origin}/index.html")
        page.close()
        return
    page.goto(f"{origin}/index.html")
    room = page.frame_locator("iframe")
    room.locator(".join input").fill("ada")
    room.locator(".join input").press("Enter")
    expect(room.locator(".room")).to_have_attribute("data-phase", "open")
    room.get_by_role("textbox", name="Message").fill("from a frame")
    room.get_by_role("textbox", name="Message").press("Enter")
    expect(room.locator(".log .text")).to_have_text("from a frame")
    for hidden in (".home", ".share", "aside.people"):
        expect(room.locator(hidden)).to_be_hidden()
    box = room.locator(".composer textarea").bounding_box()
    assert box
    assert box["y"] + box["height"] < 520  # the field is in the frame
    page.close()
