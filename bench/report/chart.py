"""The results as a chart: an SVG written by hand, panel below panel."""

from __future__ import annotations

from xml.sax.saxutils import escape

from bench.report.bars import bar_panels
from bench.report.lines import line_panels
from bench.report.panel import WIDTH
from bench.report.results import Results

STYLE = """<style>
text{font:13px system-ui,sans-serif;fill:#222} .head{font-weight:600} .note{fill:#777}
.bar{fill:#9aa7b5;stroke:#9aa7b5} .me{fill:#e4572e;stroke:#e4572e}
.floor{fill:#cfd6de;stroke:#cfd6de} .line{fill:none;stroke-width:2} .axis{stroke:#ccc;fill:none}
@media (prefers-color-scheme:dark){text{fill:#e6e6e6}.note{fill:#999}
.bar{fill:#5d6b7a;stroke:#5d6b7a}.floor{fill:#3c4650;stroke:#3c4650}.line{fill:none}
.axis{stroke:#444}}
</style>"""


def chart(results: Results) -> str:
    """The whole picture."""
    y = 8
    parts: list[str] = []
    for panel in (*bar_panels(results), *line_panels(results)):
        parts.append(f'<g transform="translate(0,{y})">{panel.elements}</g>')
        y += panel.height
    note = escape("; ".join((results.about.get("date", ""), results.about.get("CPU", ""))))
    parts.append(f'<text class="note" x="8" y="{y + 14}">{note}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 28}" '
        f'width="{WIDTH}" height="{y + 28}">{STYLE}{"".join(parts)}</svg>\n'
    )
