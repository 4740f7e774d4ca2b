"""The Caddyfile in `docs/operations.md`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CADDY = shutil.which("caddy")


def recipe() -> str:
    text = (ROOT / "docs" / "operations.md").read_text()
    (block,) = re.findall(r"```\n(chat\.example\.org \{\n.*?)```", text, re.DOTALL)
    return str(block)


def test_it_has_three_lines_and_nothing_that_caddy_sets_by_itself() -> None:
    """It passes on `Host` and `Upgrade`, and sets `X-Forwarded-For`, without being told."""
    assert recipe() == "chat.example.org {\n\treverse_proxy 127.0.0.1:8080\n}\n"


@pytest.mark.skipif(CADDY is None, reason="caddy is missing: nobody has tried the recipe here")
def test_caddy_understands_it(tmp_path: Path) -> None:
    assert CADDY is not None
    file = tmp_path / "Caddyfile"
    file.write_text(recipe())
    command = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
