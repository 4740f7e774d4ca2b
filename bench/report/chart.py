"""The results as a chart: an SVG written by hand, a panel for each workload, bars for servers."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from bench.candidates import CANDIDATES
from bench.report.results import Results
from bench.report.table import title

# workload, figure, scale, format, heading
PANELS = (
    ("one", "cpu_us_per_delivery", 1.0, "{:.1f} \u00b5s", "CPU a delivery (less is better)"),
    ("ten", "deliveries_per_s", 1e-3, "{:,.0f}k/s", "deliveries a second"),
    ("small", "deliveries_per_s", 1e-3, "{:,.0f}k/s", "deliveries a second"),
    ("open", "p99_us", 1e-3, "{:.1f} ms", "p99 latency (less is better)"),
    ("idle10k", "rss_kib", 1.0, "{:.1f} KiB", "memory a connection (less is better)"),
    ("storm", "cpu_s", 1.0, "{:.1f} s", "server CPU (less is better)"),
)
WIDTH, LABEL, BAR, GAP, TOP = 760, 240, 18, 8, 34
STYLE = """<style>
text{font:13px system-ui,sans-serif;fill:#222} .head{font-weight:600} .note{fill:#777}
.bar{fill:#9aa7b5} .me{fill:#e4572e} .floor{fill:#cfd6de}
@media (prefers-color-scheme:dark){text{fill:#e6e6e6}.note{fill:#999}.bar{fill:#5d6b7a}
.floor{fill:#3c4650}}
</style>"""


def bars(results: Results, workload: str, figure: str) -> list[tuple[str, float]]:
    """Each measured server with its figure."""
    figures = ((server, results.median(workload, server, figure)) for server in CANDIDATES)
    return [(server, value) for server, value in figures if value is not None]


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


def panel(results: Results, number: int, y: int) -> Iterator[str]:
    """A heading and its bars."""
    workload, figure, scale, form, heading = PANELS[number]
    chosen = bars(results, workload, figure)
    top = max(value for _server, value in chosen) or 1.0
    name = escape(title(results, workload))
    yield f'<text class="head" x="8" y="{y + 20}">{name}: {heading}</text>'
    for place, (server, value) in enumerate(chosen):
        yield bar(server, form.format(value * scale), value / top, y + TOP + place * (BAR + GAP))


def chart(results: Results) -> str:
    """The whole picture."""
    y = 8
    parts: list[str] = []
    for number, (workload, figure, *_rest) in enumerate(PANELS):
        count = len(bars(results, workload, figure))
        if count:
            parts.extend(panel(results, number, y))
            y += TOP + count * (BAR + GAP) + 12
    note = escape("; ".join((results.about.get("date", ""), results.about.get("CPU", ""))))
    parts.append(f'<text class="note" x="8" y="{y + 14}">{note}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 28}" '
        f'width="{WIDTH}" height="{y + 28}">{STYLE}{"".join(parts)}</svg>\n'
    )
