"""A part of the chart."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760


@dataclass(frozen=True)
class Panel:
    """SVG elements from (0, 0) downwards, and their height."""

    elements: str
    height: int


def heading(text: str) -> str:
    """The first line of a panel."""
    return f'<text class="head" x="8" y="20">{escape(text)}</text>'
