"""A real engine for a test, on a Unix socket in a folder of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.serving.wire import BEGUN

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")

needs_engine = pytest.mark.skipif(
    SERVER is None, reason="there is no valkey-server or redis-server"
)


class Engine:
    """One engine, that can be killed, stopped for a while, emptied and started again."""

    def __init__(self, folder: Path, *options: str, password: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._options = (*options, "--requirepass", password) if password else options
        self._process: trio.Process | None = None
        self.socket = folder / "engine.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    async def start(self) -> None:
        assert SERVER is not None
        self.socket.unlink(missing_ok=True)
        words = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._folder)]
        words += ["--save", "", "--appendonly", "yes", *self._options]
        with (self._folder / "engine.log").open("ab") as log:
            self._process = await trio.lowlevel.open_process(
                [SERVER, *words], stdout=log, stderr=subprocess.STDOUT
            )
        with trio.fail_after(BEGUN):
            while not await self._answers():  # noqa: ASYNC110 - it is another process
                await trio.sleep(0.01)  # not until all rest: those who talk never do

    async def kill(self) -> None:
        """As `kill -9`."""
        if self._process is not None:
            self._process.kill()
            self.go_on()
            with trio.CancelScope(shield=True):
                await self._process.wait()
            self._process = None

    def stall(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    async def ask(self, *words: str) -> bytes:
        """One command, as somebody else gives it; the reply as it came."""
        stream = await trio.open_unix_socket(str(self.socket))
        async with stream:
            await stream.send_all(" ".join(words).encode() + b"\r\n")
            return bytes(await stream.receive_some(1 << 20))

    def forget_files(self) -> None:
        """Its files are gone: it starts empty."""
        shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)

    def save_files(self) -> None:
        """A copy of what it has now."""
        shutil.copytree(self._folder / "appendonlydir", self._folder / "saved")

    def restore_files(self) -> None:
        """It starts with what it had then: what it acknowledged since is lost."""
        self.forget_files()
        shutil.copytree(self._folder / "saved", self._folder / "appendonlydir")

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "engine.log").read_text()
        try:
            return (await self.ask("PING")).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)


@asynccontextmanager
async def an_engine(folder: Path, *options: str, password: str = "") -> AsyncIterator[Engine]:
    engine = Engine(folder, *options, password=password)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.kill()
