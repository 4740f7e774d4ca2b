"""The commands that the documents show can be given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgechat.cli.main import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(
    r"^(?:ExecStart=)?(?:/\S*/)?edgechat (serve|verify|recover|replay) ([^#\n]*)", re.MULTILINE
)


def shown() -> list[tuple[str, str]]:
    texts = (document.read_text() for document in DOCUMENTS)
    return [(found[1], found[2]) for text in texts for found in COMMAND.finditer(text)]


@pytest.mark.parametrize(("name", "arguments"), shown())
def test_a_command_of_the_documents(name: str, arguments: str) -> None:
    command = main.commands[name]
    known = {option for param in command.params for option in param.opts}
    used = set(re.findall(r"--[a-z-]+", arguments)) - {"--help"}
    assert used <= known


def test_some_commands_were_found() -> None:
    assert {name for name, _ in shown()} == {"serve", "verify", "replay"}
