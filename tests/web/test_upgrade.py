"""A tab that was opened before an upgrade."""

import shutil
from pathlib import Path

from playwright.sync_api import expect

from .conftest import Contexts, Tabs
from .language import expect_said, join, say, wait_back, wait_joined
from .server import Server

ROOT = Path(__file__).parents[2]


def another_version(folder: Path) -> Path:
    """The project with one more export in a module of the page."""
    for name in ("edgechat", "web"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    module = folder / "web" / "dom.js"
    module.write_text(module.read_text() + "\nexport const later = 1;\n")
    return folder


def test_an_old_tab_says_so_and_what_to_do(
    server: Server, context: Contexts, tmp_path: Path
) -> None:
    page = join(context().new_page(), "ada")
    say(page, "before")
    expect_said(page, "before")
    expect(page.locator(".updated")).to_be_hidden()
    old = page.evaluate("() => document.querySelector('script').src")
    server.stop()
    server.code = another_version(tmp_path / "new")
    server.start()
    wait_back(page)
    updated = page.get_by_role("button", name="EdgeChat was updated. Reload")
    expect(updated).to_be_visible()
    say(page, "an old tab still talks")
    expect_said(page, "before", "an old tab still talks")
    page.get_by_role("button", name="Settings").click()  # its dialogs are of the version before
    expect(page.locator(".alert")).to_contain_text("Reload")
    answer = page.request.get(old)
    assert answer.status == 404
    assert "EdgeChat was updated: reload the page." in answer.json()["error"]
    page.locator("textarea").fill("half a thought")
    updated.click()
    wait_joined(page)
    expect(page.locator(".updated")).to_be_hidden()
    expect(page.locator("textarea")).to_have_value("half a thought")
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_tab_of_today_says_nothing(tab: Tabs) -> None:
    expect(tab("ada").locator(".updated")).to_be_hidden()
