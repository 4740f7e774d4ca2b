"""Running a command of `edgechat` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import trio

SOON = 90.0  # seconds: never awaited on a good machine


class Done(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


def arguments(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "edgechat", *map(str, words)]


def environment(**changes: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("EDGECHAT_")}
    return {**own, "TZ": "UTC", **changes}


async def edgechat(*words: str | Path, stdin: bytes = b"", **env: str) -> Done:
    """Run it to its end."""
    with trio.fail_after(SOON):
        done = await trio.run_process(
            arguments(*words),
            stdin=stdin,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env=environment(**env),
        )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


async def start(*words: str | Path, stdin: int | None = None) -> trio.Process:
    """Start it; its output is in pipes."""
    return await trio.lowlevel.open_process(
        arguments(*words),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
