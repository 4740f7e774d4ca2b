"""Bars: a panel for each workload, a bar for each server."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from bench.candidates import CANDIDATES
from bench.report.panel import WIDTH, Panel, heading
from bench.report.results import Results
from bench.report.table import title

# workload, figure, scale, format, heading
CHOSEN = (
    ("one", "cpu_us_per_delivery", 1.0, "{:.1f} \u00b5s", "CPU a delivery (less is better)"),
    ("ten", "deliveries_per_s", 1e-3, "{:,.0f}k/s", "deliveries a second"),
    ("small", "deliveries_per_s", 1e-3, "{:,.0f}k/s", "deliveries a second"),
    ("open", "p99_us", 1e-3, "{:.1f} ms", "p99 latency (less is better)"),
    ("idle10k", "rss_kib", 1.0, "{:.1f} KiB", "memory a connection (less is better)"),
    ("storm", "cpu_s", 1.0, "{:.1f} s", "server CPU (less is better)"),
)
LABEL, BAR, GAP, TOP = 240, 18, 8, 34


def bar_panels(results: Results) -> Iterator[Panel]:
    """A panel for each of the chosen workloads that was measured."""
    for workload, figure, scale, form, what in CHOSEN:
        figures = measured(results, workload, figure)
        if figures:
            bars = [(server, value, form.format(value * scale)) for server, value in figures]
            yield panel(f"{title(results, workload)}: {what}", bars)


def measured(results: Results, workload: str, figure: str) -> list[tuple[str, float]]:
    """Each measured server with its figure."""
    figures = ((server, results.median(workload, server, figure)) for server in CANDIDATES)
    return [(server, value) for server, value in figures if value is not None]


def panel(text: str, bars: list[tuple[str, float, str]]) -> Panel:
    """A heading and its bars."""
    top = max(value for _server, value, _text in bars) or 1.0
    drawn = "".join(
        bar(server, label, value / top, TOP + place * (BAR + GAP))
        for place, (server, value, label) in enumerate(bars)
    )
    return Panel(heading(text) + drawn, TOP + len(bars) * (BAR + GAP) + 12)


def bar(server: str, text: str, share: float, y: int) -> str:
    """One bar with its name and figure; `share` of the longest."""
    kind = "floor" if server == "floor" else "me" if server.startswith("edgechat") else "bar"
    length = max(share * (WIDTH - LABEL - 110), 1)
    middle = y + BAR - 5
    return (
        f'<text x="{LABEL - 8}" y="{middle}" text-anchor="end">'
        f"{escape(CANDIDATES[server].title)}</text>"
        f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.0f}" height="{BAR}" rx="3"/>'
        f'<text x="{LABEL + length + 6:.0f}" y="{middle}">{escape(text)}</text>'
    )
