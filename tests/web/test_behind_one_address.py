"""Eight people behind one address: a class, an office, a mobile carrier's NAT.

This machine's own address is exempt from the limits, so they are tried in a network namespace that
has another one: this file runs itself there as a program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from .conftest import CHROMIUM, launch
from .language import join, need, say
from .server import Server

ADDRESS = "192.0.2.10"  # for documents and examples: RFC 5737
PEOPLE = 8
SETUP = f"ip link set lo up && ip addr add {ADDRESS}/24 dev lo"
WAYS = (["unshare", "--net"], ["unshare", "--net", "--map-root-user"])


def namespace() -> list[str]:
    """What runs a shell in a network namespace of its own; skips where none is allowed."""
    if shutil.which("ip") and shutil.which("unshare"):
        for way in WAYS:
            if subprocess.run([*way, "sh", "-c", SETUP], capture_output=True).returncode == 0:
                return way
    pytest.skip("ip or unshare is not there, or not allowed")


def test_eight_first_visits() -> None:
    need("Chromium", CHROMIUM != "")
    script = f'{SETUP} && exec "$0" -m tests.web.test_behind_one_address'
    command = [*namespace(), "sh", "-c", script, sys.executable]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    print(ended.stdout)  # in how many seconds: on a slow machine it is more than a minute


def visit(browser: Browser, home: str, number: int) -> None:
    """A browser that was never here: it has no file of the page, and installs the offline shell."""
    page = browser.new_context(base_url=home).new_page()
    page.on(
        "response", lambda answer: None if answer.ok else sys.exit(f"{number}: {answer.status}")
    )
    join(page, f"person {number}")
    say(page, f"word {number}")
    expect(page.locator(".log .text")).to_have_text([f"word {each}" for each in range(number + 1)])


def main() -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        data.mkdir()
        server = Server(data, "--host", ADDRESS, "--message-interval", "0")
        server.start()
        browser = launch(playwright, f"--unsafely-treat-insecure-origin-as-secure={server.address}")
        for number in range(PEOPLE):
            visit(browser, server.address, number)
        browser.close()
        server.stop()
    print(f"{PEOPLE} people talk after {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    os.environ.setdefault("EDGECHAT_REQUIRE_BROWSER", "1")
    main()
