"""Where and with what a result came about: CPU, kernel, versions, date."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.host import cores
from bench.paths import BUN, HERE, NGINX, PEERS_PYTHON, ROOT, edgechat_program


def output_of(*command: str) -> str:
    """What a command prints; nothing if it can't be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def cpu_model() -> str:
    """As /proc/cpuinfo names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def peer_versions() -> str:
    """The libraries in bench/.venv that are measured."""
    listed = output_of(str(PEERS_PYTHON), "-m", "pip", "list", "--format=json",
                     "--disable-pip-version-check")  # fmt: skip
    wanted = {line.partition("==")[0] for line in (HERE / "requirements.txt").read_text().split()}
    found = [(p["name"], p["version"]) for p in json.loads(listed or "[]") if p["name"] in wanted]
    sqlite = output_of(str(PEERS_PYTHON), "-c", "import sqlite3; print(sqlite3.sqlite_version)")
    return ", ".join(f"{name} {version}" for name, version in [*found, ("SQLite", sqlite)])


def node_versions() -> str:
    """Node and ws, and Bun."""
    package = HERE / "node_modules/ws/package.json"
    ws = f", ws {json.loads(package.read_text())['version']}" if package.exists() else ""
    bun = output_of(str(BUN), "--version")
    return (output_of("node", "--version") or "none") + ws + (f", Bun {bun}" if bun else "")


def nginx_version() -> str:
    """nginx and nchan, as Debian has them."""
    nginx = output_of("sh", "-c", f"{NGINX} -v 2>&1").rpartition("/")[2]
    nchan = output_of("dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan")
    return f"{nginx or 'none'}" + (f", nchan {nchan}" if nchan else "")


def about(argv: list[str]) -> dict[str, str]:
    """The circumstances of a run."""
    server, load = cores()
    shared = " (the same: figures are for the two together)" if server == load else ""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "python -m bench " + " ".join(argv),
        "CPU": f"{cpu_model()}, {os.cpu_count()} cores; server on {server}, load on {load}{shared}",
        "kernel": platform.release(),
        "EdgeChat": f"{output_of(edgechat_program(), '--version')} "
                    f"at {output_of('git', 'rev-parse', '--short', 'HEAD')}",
        "load generator": f"Python {platform.python_version()}",
        "peers": f"{output_of(str(PEERS_PYTHON), '--version')}, {peer_versions()}",
        "Node": node_versions(),
        "nginx": nginx_version(),
        "load average before": f"{os.getloadavg()[0]:.2f}",
    } if sys.platform == "linux" else {}  # fmt: skip
