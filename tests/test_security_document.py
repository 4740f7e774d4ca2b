"""Each promise and attack in `docs/security.md` names tests, and these are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = re.compile(r"^\|[^\n]*\| tried by \|\n\|[ |-]+\|\n((?:\|[^\n]*\n)+)", re.MULTILINE)
NAME = re.compile(r"`([a-z_/]+)::(test_\w+)`")


def rows() -> list[str]:
    """The rows of the tables that have a column `tried by`."""
    text = (ROOT / "docs" / "security.md").read_text()
    tables = TABLE.findall(text)
    return [row for table in tables for row in table.splitlines()]


def test_there_are_two_tables() -> None:
    assert len(rows()) > 40


@pytest.mark.parametrize("row", rows())
def test_what_is_named_is_there(row: str) -> None:
    names = NAME.findall(row)
    assert names
    assert row.count("::") == len(names)  # each is written so that it is found
    for file, function in names:
        path = ROOT / "tests" / f"{file}.py"
        assert re.search(rf"^(?:async )?def {function}\(", path.read_text(), re.MULTILINE), path
