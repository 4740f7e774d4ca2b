"""How cost grows, as tables: each size a row, EdgeChat beside the floor."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.results import Results
from bench.report.table import shown, table
from bench.report.targets import ME
from bench.workloads.growth import SERIES, Series

FLOOR = "floor"


def measured(results: Results) -> list[Series]:
    """The series of which a size was measured."""
    return [s for s in SERIES if any(s.key_of(size) in results.rounds for size in s.sizes)]


def points(
    results: Results, series: Series, server: str, figure: str
) -> Iterator[tuple[int, float]]:
    """Each measured size with its figure."""
    for size in series.sizes:
        value = results.median(series.key_of(size), server, figure)
        if value is not None:
            yield size, value


def cells(results: Results, series: Series, size: int) -> Iterator[str]:
    """A size, EdgeChat's figures, and where there is the floor, its figure and the ratio."""
    key = series.key_of(size)
    yield f"{size:,}"
    for figure in series.figures:
        yield shown(results.median(key, ME, figure), "{:.2f}")
        if series.beside_floor:
            yield shown(results.median(key, FLOOR, figure), "{:.2f}")
            yield shown(results.ratio(key, ME, FLOOR, figure), "{:.2f}\u00d7")


def growth_tables(results: Results) -> str:
    """A table for each series that was measured."""
    parts = []
    for series in measured(results):
        head = [series.grows]
        for heading in series.figures.values():
            head += [heading, "the floor", "ratio"] if series.beside_floor else [heading]
        sizes = [size for size in series.sizes if series.key_of(size) in results.rounds]
        rows = [list(cells(results, series, size)) for size in sizes]
        parts.append(f"### {series.title}: {series.unit}\n\n{table(head, rows)}")
    return "\n".join(parts)
