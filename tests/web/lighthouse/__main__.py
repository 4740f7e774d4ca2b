"""Lighthouse on the front page and a room's first view, desktop and phone: `make lighthouse`.

Prints the scores and what cost any of them, and fails below what is wanted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..server import Server

LIGHTHOUSE = Path(__file__).parent / "node_modules" / ".bin" / "lighthouse"
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
PAGES = {"front page": "", "room": "room/lobby"}
FORMS = {"desktop": ["--preset=desktop"], "phone": []}
ROW = "{:<12} {:<8}" + " {:>14}" * len(WANTED)


def report(address: str, options: list[str]) -> dict[str, Any]:
    """What Lighthouse finds on one page."""
    flags = "--headless=new --disable-gpu" + (" --no-sandbox" if os.geteuid() == 0 else "")
    command = [str(LIGHTHOUSE), address, *options, "--quiet", "--no-enable-error-reporting"]
    run = subprocess.run(
        [*command, f"--chrome-flags={flags}", "--output=json", "--output-path=stdout"],
        env={**os.environ, "CHROME_PATH": shutil.which("chromium") or ""},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def scores(found: dict[str, Any]) -> dict[str, int]:
    return {name: round(100 * found["categories"][name]["score"]) for name in WANTED}


def costs(found: dict[str, Any], category: str) -> Iterator[str]:
    """The audits that a category lost points by."""
    for reference in found["categories"][category]["auditRefs"]:
        audit = found["audits"][reference["id"]]
        if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
            yield f"{audit['title']} {audit.get('displayValue', '')}".strip()


def measure(server: Server) -> bool:
    """Is every page as good as is wanted?"""
    print(ROW.format("", "", *WANTED))
    short = []
    for page, path in PAGES.items():
        for form, options in FORMS.items():
            found = report(server.address + path, options)
            got = scores(found)
            print(ROW.format(page, form, *got.values()), flush=True)
            for name in (name for name, least in WANTED.items() if got[name] < least):
                short.append(f"{page}, {form}: {name} {got[name]}, not {WANTED[name]}")
                short += [f"  {cost}" for cost in costs(found, name)]
    print("\n".join(["", *short]) if short else "All as wanted.")
    return not short


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        server = Server(data)
        server.start()
        try:
            return 0 if measure(server) else 1
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
