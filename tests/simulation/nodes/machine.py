"""A machine for each node: its disk, its clock, and the way to the engine.

`edgechat.system` is one module, and several machines are in one process: so each of its names
leads to the machine on which it is called, that is, whose task calls it. Tasks inherit that.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path as FilePath
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import trio

import edgechat.system
from edgechat.nodes import engine_socket
from edgechat.nodes.engine_address import EngineAddress

from ..disk import Disk
from ..system import System
from .engine_host import EngineHost
from .link import Connection, Path

_here: ContextVar[Machine] = ContextVar("machine")
_HOUR = 3_600_000  # ms


class Machine(System):
    """One machine, on which one node at a time runs."""

    def __init__(self, random: Random, trace: Callable[[str], None], host: EngineHost, path: Path):
        super().__init__(Disk(random, forgets=False), trace)
        self.slowness = random.choice((0.0002, 0.0002, 0.005))
        self.clock_skew = random.choice((0, 0, 0, _HOUR, -_HOUR, 17))
        self.host = host
        self.path = path

    @contextmanager
    def here(self) -> Iterator[None]:
        """What is started in here runs on this machine."""
        token = _here.set(self)
        try:
            yield
        finally:
            _here.reset(token)

    def waits(self) -> bool:
        """Seldom: these worlds are about what lies between nodes, and each wait costs."""
        return self._random.random() < 0.15

    async def connect(self) -> Connection:
        """To the engine. Raises `OSError`."""
        await trio.sleep(self.path.delay())
        if not self.path.is_well:
            await trio.sleep(max(0.0, self.path.held_until - trio.current_time()))
        while self.path.leads_nowhere:  # noqa: ASYNC110 - TCP tries again, until it is given up
            await trio.sleep(1.0)
        connection = self.host.connect(self.path)
        await trio.sleep(self.path.delay())
        return connection

    def replace(self, old: FilePath, new: FilePath) -> None:
        self._call("replace")
        inode = self.disk.find(str(old))
        if inode is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        self.disk.rename(str(old), str(new))

    def stat(self, path: FilePath | str, *, follow_symlinks: bool = True) -> SimpleNamespace:
        if ".jsonl.forked-" in str(path) and self.disk.find(str(path)) is None:
            self._call("stat")
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return super().stat(path, follow_symlinks=follow_symlinks)


def is_killed() -> bool:
    """Whether whoever asks is of a process that was killed: what it still does never happened."""
    machine = _here.get(None)
    return machine is not None and not machine.alive


@contextmanager
def in_place() -> Iterator[None]:
    """In here the system is that of the machine which asks, and engines are the simulated one."""
    with ExitStack() as stack:
        for name in edgechat.system.__all__:
            if (name[0].islower() and name != "stat_result") or name == "Lock":
                stack.enter_context(patch.object(edgechat.system, name, _dispatch(name)))
        stack.enter_context(patch.object(engine_socket, "_connect", _connect))
        yield


def _dispatch(name: str) -> Callable[..., Any]:
    def ask(*args: Any, **kwargs: Any) -> Any:
        return getattr(_here.get(), name)(*args, **kwargs)

    return ask


async def _connect(_: EngineAddress) -> Connection:
    return await _here.get().connect()
