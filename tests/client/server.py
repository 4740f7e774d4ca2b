"""The real server, as its own process, that can be killed and started again."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.serving.ports import free_ports
from tests.serving.stored import stored
from tests.serving.wire import BEGUN


class Server:
    """`edgechat serve` on a folder; the port stays the same over restarts."""

    def __init__(self, data: Path, options: tuple[str, ...]) -> None:
        self._data = data
        self._options = options
        self._port = free_ports()  # nobody gets it by chance while the server is away
        self._process: trio.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def file_of(self, room: str) -> Path:
        return self._data / "rooms" / "public" / f"{room}.jsonl"

    def stored(self, room: str) -> bytes:
        """A history: what is in its file, and what the journal adds."""
        return stored(self._data, room)

    async def start(self) -> None:
        command = [sys.executable, "-m", "edgechat", "serve", "--port", str(self._port)]
        command += ["--data", str(self._data), *self._options]
        self._process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = b""
        with trio.fail_after(BEGUN):
            while not line.endswith(b"\n"):
                part = await self._process.stdout.receive_some()
                assert part, "the server ended before it said where it is"
                line += part
        found = re.search(rb"http://[^:/ ]+:(\d+)", line)
        assert found, line
        self._port = int(found[1])

    async def kill(self) -> None:
        """`kill -9`: nothing is written any more, nobody is told."""
        assert self._process is not None
        self._process.kill()
        with trio.CancelScope(shield=True):
            await self._process.wait()
        assert self._process.stdout is not None
        await self._process.stdout.aclose()


@asynccontextmanager
async def serving(data: Path, *options: str) -> AsyncIterator[Server]:
    """A server on an empty folder, without limit on how often one may speak."""
    server = Server(data, options or ("--message-interval", "0"))
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
