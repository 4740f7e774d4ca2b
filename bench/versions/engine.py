"""An engine for one server: each has its own, or they would share their rooms."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE_S = 10.0


@contextlib.contextmanager
def an_engine(core: int) -> Iterator[tuple[str, ...]]:
    """The options with which a server uses it; it runs on that core until the block ends."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        raise RuntimeError("there is no valkey-server or redis-server")
    with tempfile.TemporaryDirectory(prefix="engine") as folder:
        path = Path(folder, "socket")
        words = ("--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", "")
        engine = subprocess.Popen(
            [program, *words, "--appendonly", "yes"], stdout=subprocess.DEVNULL
        )
        try:
            os.sched_setaffinity(engine.pid, {core})
            deadline = time.monotonic() + PATIENCE_S
            while not path.exists():
                if engine.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the engine did not start")
                time.sleep(0.02)
            yield "--engine", f"unix://{path}"
        finally:
            engine.kill()
            engine.wait()
