"""Tables in markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.report.results import Results
from bench.workloads.catalogue import WORKLOADS

DASH = "\u2013"


def row(cells: Iterable[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A whole table; empty if there are no rows."""
    lines = [row(cells) for cells in rows]
    return "\n".join([row(head), row("---" for _ in head), *lines]) + "\n" if lines else ""


def shown(value: float | None, form: str, scale: float = 1.0) -> str:
    """A figure, or a dash where there is none."""
    return DASH if value is None else form.format(value * scale)


def title(results: Results, workload: str) -> str:
    """A workload's title, with a word where `--quick` made it smaller than that says."""
    smaller = results.quick and WORKLOADS[workload].quick is not None
    return WORKLOADS[workload].title + (" (smaller)" if smaller else "")
