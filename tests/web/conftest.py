"""A real server in its own process, and real tabs of a real browser.

Playwright's sync interface lives in the main thread, so these tests are plain functions.
A tab fails its test on any error of the page, any error on its console and any request
to another host.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from .language import join, need
from .server import Server

# The one without windows takes a third of the processor time; Debian has both.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""
FLAGS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How long, in ms, a test waits for what a person would see. It promises nothing: machines are slow.
PATIENCE = 45_000
expect.set_options(timeout=PATIENCE)
# The browser's own words about a server that is away; the page can't keep it from saying them.
BROWSERS_OWN = re.compile(r"WebSocket connection to|net::ERR_|Failed to load resource")


def launch(playwright: Playwright, *more: str) -> Browser:
    flags = [*FLAGS, *more, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=flags)


class Tabs(Protocol):
    """Opens a tab of a browser of its own and joins a room."""

    def __call__(self, name: str, room: str = "lobby", **context: Any) -> Page: ...


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    need("Chromium", CHROMIUM != "")
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers with options of one's own; they end with the test."""
    started: list[Server] = []

    def start(*options: str) -> Server:
        data = tmp_path / f"data-{len(started)}"
        data.mkdir()
        server = Server(data, *options)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop(signal.SIGKILL)


@pytest.fixture(scope="package")
def spares(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Server]]:
    """Servers with an empty data folder each, the next one always started already."""

    def spawn() -> Server:
        data = tmp_path_factory.mktemp("server") / "data"
        data.mkdir()
        server = Server(data, "--message-interval", "0")
        server.spawn()
        return server

    def take() -> Iterator[Server]:
        while True:
            taken, spare[0] = spare[0], spawn()
            yield taken

    spare = [spawn()]
    yield take()
    spare[0].stop(signal.SIGKILL)


@pytest.fixture
def server(spares: Iterator[Server]) -> Iterator[Server]:
    server = next(spares)
    server.wait_ready()
    yield server
    server.stop(signal.SIGKILL)


def watch(page: Page, home: str, troubles: list[str]) -> None:
    """Note every error of a page, and every request that leaves its server."""

    def console(message: ConsoleMessage) -> None:
        if message.type == "error" and not BROWSERS_OWN.search(message.text):
            troubles.append(f"console: {message.text}")

    page.on("console", console)
    page.on("pageerror", lambda error: troubles.append(f"page: {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((home, "data:"))
            else troubles.append(f"foreign request: {request.url}")
        ),
    )


class Contexts(Protocol):
    """Makes a browser context whose pages are watched."""

    def __call__(self, home: str | None = None, **options: Any) -> BrowserContext: ...


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[Contexts]:
    troubles: list[str] = []
    made: list[BrowserContext] = []

    def make(home: str | None = None, **options: Any) -> BrowserContext:
        options.setdefault("service_workers", "block")
        options.setdefault("locale", "en-GB")
        new = browser.new_context(base_url=home or server.address, **options)
        new.set_default_timeout(PATIENCE)
        new.on("page", lambda page: watch(page, home or server.address, troubles))
        made.append(new)
        return new

    yield make
    for one in made:
        one.close()
    assert troubles == []


@pytest.fixture
def tab(context: Contexts) -> Tabs:
    def open_tab(name: str, room: str = "lobby", **options: Any) -> Page:
        return join(context(**options).new_page(), name, room)

    return open_tab
