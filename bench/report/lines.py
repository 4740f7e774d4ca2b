"""Lines: a panel for each series of growth, sizes to the right on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from xml.sax.saxutils import escape

from bench.report.growth import FLOOR, measured, points
from bench.report.panel import WIDTH, Panel, heading
from bench.report.results import Results
from bench.report.targets import ME
from bench.workloads.growth import Series

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 60, 230, 40, 190, 226
STYLES = ("me", "floor", "bar")


@dataclass(frozen=True)
class Line:
    """What is drawn: sizes with their figures."""

    title: str
    style: str
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class Scale:
    """Where sizes and figures lie in the panel."""

    first: int
    last: int
    top: float

    def x(self, size: int) -> float:
        """From the left, logarithmic."""
        share = log10(size / self.first) / (log10(self.last / self.first) or 1.0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """From the top, with zero at the bottom."""
        return BOTTOM - value / self.top * (BOTTOM - TOP)


def line_panels(results: Results) -> Iterator[Panel]:
    """A panel for each series of which two sizes were measured."""
    for series in measured(results):
        lines = [line for line in drawn_lines(results, series) if len(line.points) > 1]
        if lines:
            yield panel(series, lines)


def drawn_lines(results: Results, series: Series) -> Iterator[Line]:
    """EdgeChat and the floor; without the floor, each figure of EdgeChat."""
    if series.beside_floor:
        (figure,) = series.figures
        yield Line("EdgeChat", "me", list(points(results, series, ME, figure)))
        yield Line("raw sockets (the floor)", "floor", list(points(results, series, FLOOR, figure)))
        return
    for style, (figure, title) in zip(STYLES, series.figures.items(), strict=False):
        yield Line(title, style, list(points(results, series, ME, figure)))


def panel(series: Series, lines: list[Line]) -> Panel:
    """A heading, the axes and the lines, each with its title at its end."""
    sizes = sorted({size for line in lines for size, _value in line.points})
    top = max(value for line in lines for _size, value in line.points) or 1.0
    scale = Scale(sizes[0], sizes[-1], top)
    parts = [heading(f"{series.title}: {series.unit} (less is better)"), axes(scale, sizes)]
    parts += [drawn(line, scale) for line in lines]
    parts += titles(lines, scale)
    return Panel("".join(parts), HEIGHT)


def axes(scale: Scale, sizes: list[int]) -> str:
    """The base line with the sizes, and the largest figure."""
    end = WIDTH - RIGHT
    ticks = "".join(
        f'<text class="note" x="{scale.x(size):.0f}" y="{BOTTOM + 18}" text-anchor="middle">'
        f"{size:,}</text>"
        for size in sizes
    )
    return (
        f'<path class="axis" d="M{LEFT} {BOTTOM}H{end}M{LEFT} {TOP}H{end}"/>{ticks}'
        f'<text class="note" x="{LEFT - 8}" y="{BOTTOM + 4}" text-anchor="end">0</text>'
        f'<text class="note" x="{LEFT - 8}" y="{TOP + 4}" text-anchor="end">{scale.top:.1f}</text>'
    )


def drawn(line: Line, scale: Scale) -> str:
    """The line with a dot at each size."""
    places = [(scale.x(size), scale.y(value)) for size, value in line.points]
    path = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    dots = "".join(f'<circle class="{line.style}" cx="{x:.0f}" cy="{y:.0f}" r="4"/>'
                   for x, y in places)  # fmt: skip
    return f'<polyline class="line {line.style}" points="{path}"/>{dots}'


def titles(lines: list[Line], scale: Scale) -> Iterator[str]:
    """Titles at the ends of the lines, with their last figures, moved apart to be legible."""
    last = -100.0
    for line in sorted(lines, key=lambda line: -line.points[-1][1]):
        last = max(scale.y(line.points[-1][1]) + 4, last + 16)
        text = f"{line.title}, {line.points[-1][1]:.1f}"
        yield f'<text x="{WIDTH - RIGHT + 10}" y="{last:.0f}">{escape(text)}</text>'
