"""A server as a process: started on its own core, its CPU time and memory read, and stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.host import free_port, waited_ns

START_S = 20.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None)


class Server:
    """A server process that listens on `port` and keeps its files in `data`."""

    def __init__(self, command: list[str], port: int, data: Path, core: int | None) -> None:
        self.command, self.port, self.data = command, port, data
        self.log = data / "server.log"
        self._core = core
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def _start(self, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        # As in production: bytecode compiled at one start is there at the next.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*before, *self.command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=environment, preexec_fn=self._prepare,
            )  # fmt: skip

    def _prepare(self) -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed benchmark leaves no servers
        if self._core is not None:
            os.sched_setaffinity(0, {self._core})

    def wait_listening(self) -> float:
        """Return when the port answers, with the seconds it took since now."""
        begin = time.perf_counter()
        while time.perf_counter() - begin < START_S:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended at once:\n{self.log_tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return time.perf_counter() - begin
            time.sleep(0.002)
        raise TimeoutError(f"no answer within {START_S:.0f} s:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of what it logged."""
        return self.log.read_text(errors="replace")[-2000:]

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def cpu_ns(self) -> int:
        """CPU time used by all of its threads so far, ended ones included, in nanoseconds.

        The clock of a process (Linux: `clock_getcpuclockid`) is exact where utime and stime in
        /proc/<pid>/stat have ticks of 10 ms.
        """
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def waited_ns(self) -> int:
        """How long its main thread could have run but the core was another's."""
        return waited_ns(self.pid)

    def memory(self, figure: str = "Pss") -> int:
        """Proportional set size in bytes, or another figure of smaps_rollup."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(figure + ":"):
                return int(line.split()[1]) * 1024
        raise LookupError(figure)

    def pause(self) -> None:
        """Stop its main thread, which alone talks to clients; returns when it is stopped."""
        self._process.send_signal(signal.SIGSTOP)
        state = Path(f"/proc/{self.pid}/task/{self.pid}/stat")
        while state.read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.0002)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def wait_end(self, timeout: float = 15.0) -> None:
        """Return when it has ended by itself."""
        self._process.wait(timeout)

    def die_starting(self, call: str, number: int) -> bool:
        """Start it, to be killed as it makes that system call for the so-manieth time.

        Returns whether it was; else it began to serve before. It does not run then. Needs strace.
        """
        logged = self.log.stat().st_size
        inject = f"inject={call}:signal=KILL:when={number}"
        options = ("-D", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject)
        self._process = self._start(("strace", *options))
        begin = time.perf_counter()
        while time.perf_counter() - begin < START_S and self._process.poll() is None:
            with self.log.open("rb") as log:
                log.seek(logged)
                if b"EdgeChat is at" in log.read():
                    break
            time.sleep(0.005)
        is_dead = self._process.poll() is not None
        self.kill()
        return is_dead

    def start_again(self) -> None:
        """After `kill` or `stop`: the same command on the same data folder."""
        self._process = self._start()

    def stop(self, timeout: float = 15.0) -> float:
        """Ask it to end (SIGTERM) and wait; says how many seconds it took."""
        begin = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"SIGTERM did not end it in {timeout:.0f} s") from None
        return time.perf_counter() - begin


MakeCommand = Callable[[int, Path], list[str]]


@contextlib.contextmanager
def serving(make: MakeCommand, *, core: int | None = None) -> Iterator[Server]:
    """A fresh server on a fresh data folder; killed, and the folder removed, at the end."""
    with tempfile.TemporaryDirectory(prefix="edgechat-bench-") as folder:
        port, data = free_port(), Path(folder)
        server = Server(make(port, data), port, data, core)
        try:
            server.wait_listening()
            yield server
        finally:
            server.kill()
