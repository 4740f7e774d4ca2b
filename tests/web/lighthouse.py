"""Lighthouse on the front page and a room: `python -m tests.web.lighthouse`, after `npm ci`.

Prints the scores and fails below 95 for performance or below 100 for the rest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .server import Server

LIGHTHOUSE = Path(__file__).parents[2] / "node_modules" / ".bin" / "lighthouse"
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
FORMS = {"desktop": ["--preset=desktop"], "phone": []}


def scores(address: str, options: list[str]) -> dict[str, int]:
    chromium = shutil.which("chromium") or ""
    flags = "--headless=new --disable-gpu" + (" --no-sandbox" if os.geteuid() == 0 else "")
    command = [str(LIGHTHOUSE), address, *options, "--quiet", f"--chrome-flags={flags}"]
    run = subprocess.run(
        [*command, "--output=json", "--output-path=stdout"],
        env={**os.environ, "CHROME_PATH": chromium},
        capture_output=True,
        check=True,
    )
    categories = json.loads(run.stdout)["categories"]
    return {name: round(100 * category["score"]) for name, category in categories.items()}


def main() -> int:
    short = 0
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        server = Server(data)
        server.start()
        for page in ("", "room/lobby"):
            for form, options in FORMS.items():
                found = scores(server.address + page, options)
                print(
                    f"/{page} ({form}):",
                    ", ".join(f"{name} {score}" for name, score in found.items()),
                )
                short += sum(found.get(name, 0) < least for name, least in WANTED.items())
        server.stop()
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
