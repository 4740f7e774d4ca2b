"""`edgechat serve` as a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.ports import free_ports

ADDRESS = re.compile(r"http://([\w.]+):(\d+)/")


class Server:
    """`edgechat serve` on a port of its own that it keeps when it comes back."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.host = "127.0.0.1"
        self.port = free_ports()  # nobody gets it by chance while the server is away
        self.process: subprocess.Popen[str] | None = None
        self.code: Path | None = None  # another version of the project

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}/"

    def start(self) -> None:
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Begin to start; `wait_ready` comes next."""
        command = [sys.executable, "-m", "edgechat", "serve", "--port", str(self.port)]
        command += ["--data", str(self.data), *self.options]
        log = (self.data.parent / "server.log").open("a")
        env = {**os.environ, "PYTHONPATH": str(self.code)} if self.code else None
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.data.parent, env=env
        )
        log.close()

    def wait_ready(self) -> None:
        assert self.process
        assert self.process.stdout
        for line in self.process.stdout:
            if found := ADDRESS.search(line):
                self.host, self.port = found[1], int(found[2])
                return
        pytest.fail((self.data.parent / "server.log").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        self.process.wait(60)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
