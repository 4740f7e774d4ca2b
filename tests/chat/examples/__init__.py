"""Tables of examples, as JSON: the page's tests read the same ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def examples(table: str) -> list[list[Any]]:
    """The rows of a table; the first column says what a row is an example of."""
    rows: list[list[Any]] = json.loads((Path(__file__).parent / f"{table}.json").read_text())
    return rows


def titles(rows: Sequence[Sequence[Any]]) -> list[str]:
    """What each row is an example of."""
    return [str(row[0]) for row in rows]
