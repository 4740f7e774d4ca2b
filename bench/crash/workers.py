"""A server of several workers, of which one is killed at a time."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from http.client import HTTPConnection
from pathlib import Path

from bench.server import START_S, Server

STEADY_S = 1.5  # a worker that lived shorter is waited for longer and longer


class WithWorkers(Server):
    """`kill` ends a random worker; the others, and the port, stay."""

    def kill(self) -> None:
        """Returns when that process has ended."""
        victim = random.choice(self.workers())
        age = time.time() - Path(f"/proc/{victim}").stat().st_ctime
        time.sleep(max(0.0, STEADY_S - age))
        os.kill(victim, signal.SIGKILL)
        while victim in self.workers():
            time.sleep(0.001)

    def start_again(self) -> None:
        """It starts the worker again by itself."""

    def wait_listening(self) -> float:
        """Until every worker is there, with the seconds that took."""
        begin = time.perf_counter()
        while time.perf_counter() - begin < START_S:
            with contextlib.suppress(OSError):
                connection = HTTPConnection("127.0.0.1", self.port, timeout=START_S)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - begin
            time.sleep(0.002)
        raise TimeoutError(f"a worker is away after {START_S:.0f} s:\n{self.log_tail()}")
