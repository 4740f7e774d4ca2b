"""The operating system as the server sees it: it takes the place of `edgechat.system`, whole.

So all of the server's own code runs. Every call to the disk may be the one at which something
fails, or at which the process dies half-way: a write then leaves a part of itself.

Worker threads and the autojump clock do not mix: a clock that jumps whenever all tasks wait would
jump while a thread works. So what is to run in a thread runs in a greenlet instead, which stops
before each of its calls to the disk, for a random time in which everybody else goes on. It
interleaves like a thread, call by call, and the same seed interleaves it in the same way.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import patch

import trio
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

import edgechat.system

from .disk import Cut, Disk, Inode, Put
from .epoll import epoll

Result = TypeVar("Result")

_FIRST_FD = 1_000  # beyond any real one: a call that is not simulated fails at once
_EPOCH = 1_763_880_000_000  # Unix time in ms, as the world begins
_UNUSED = (  # only before it serves
    "chmod",
    "flock",
    "hold_descriptor",
    "mkdir",
    "processors",
    "raise_file_limit",
    "replace",
    "start_process",
)


class Killed(BaseException):
    """The process ended at this call. No code of it runs any more."""


@dataclass(slots=True)
class Fault:
    """The next calls of a kind fail. `error` 0 is a short write. `times` -1: until healed."""

    call: str
    error: int
    times: int


class System:
    """One machine, on which one server process at a time runs."""

    def __init__(self, disk: Disk, trace: Callable[[str], None]) -> None:
        self.disk = disk
        self.clock_skew = 0  # ms that the wall clock is wrong by
        self.faults: list[Fault] = []
        self.doomed_in: int | None = None  # calls until the process dies
        self.die: Callable[[], None] = lambda: None  # what ends the process
        self.alive = False
        self.fds: dict[int, Inode | None] = {}  # None: a folder
        self.jobs: set[trio.CancelScope] = set()
        self.slowness = disk.random.choice((0.0005, 0.02, 0.3))  # seconds a call in a thread takes
        self._trace = trace
        self._random = disk.random
        self._next_fd = _FIRST_FD

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """In here, `edgechat.system` is this system: each of its names, or it says which is not."""
        with ExitStack() as stack:
            for name in edgechat.system.__all__:
                found = getattr(self, name)
                stack.enter_context(patch.object(edgechat.system, name, found))
            yield

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("O_", "SEEK_", "POSIX_FADV_", "LOCK_", "stat_result")):
            return getattr(edgechat.system, name)
        if name.startswith("EPOLL"):
            return getattr(select, name)
        if name in _UNUSED:
            return _fail
        raise AttributeError(name)

    def boot(self) -> None:
        """A new process: it has no files open."""
        self.fds = {}
        self.alive = True

    def kill(self) -> None:
        """The process is gone, in the middle of whatever it does."""
        self.alive = False
        self.doomed_in = None
        for scope in list(self.jobs):
            scope.cancel()

    # Clocks, randomness, readiness.

    epoll = epoll
    monotonic = staticmethod(trio.current_time)

    def now_ms(self) -> int:
        return _EPOCH + self.clock_skew + int(trio.current_time() * 1000)

    def descriptor_limit(self) -> int:
        return 0  # there is no reserve: connections take none here

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)

    @staticmethod
    async def wait_readable(socket: Any) -> None:
        await socket.wait_readable()

    @staticmethod
    async def wait_writable(socket: Any) -> None:
        await socket.wait_writable()

    # Threads.

    async def run_in_thread(
        self,
        function: Callable[..., Result],
        *args: object,
        limiter: trio.CapacityLimiter | None = None,
    ) -> Result:
        """`trio.to_thread.run_sync`: it waits for the thread even where it is cancelled."""
        async with limiter or nullcontext():
            return await self._run(function, *args)

    def waits(self) -> bool:
        """Whether others go on before the next call of a thread."""
        return True

    async def _run(self, function: Callable[..., Result], *args: object) -> Result:
        await trio.lowlevel.checkpoint_if_cancelled()
        job = greenlet(function)
        job.gr_context = copy_context()  # else it would not know on whose machine it runs
        result = job.switch(*args)
        while not job.dead:
            if self.waits():
                with trio.CancelScope(shield=True) as scope:
                    self.jobs.add(scope)
                    await trio.sleep(self._random.expovariate(1 / self.slowness))
                self.jobs.discard(scope)
            if not self.alive:
                _end(job)
                raise Killed
            result = job.switch()
        return result  # type: ignore[no-any-return]

    class Lock:
        """`threading.Lock`: whoever waits for it stops where a slow call would."""

        def __init__(self) -> None:
            self._is_held = False

        def __enter__(self) -> None:
            while self._is_held:
                getcurrent().parent.switch()
            self._is_held = True

        def __exit__(self, *_: object) -> None:
            self._is_held = False

    # Calls.

    def open(self, path: Path | str, flags: int, mode: int = 0o600) -> int:
        self._call("open")
        inode = None
        if not flags & os.O_DIRECTORY:
            inode = self.disk.find(str(path))
            if inode is None and not flags & os.O_CREAT:
                raise _error(errno.ENOENT)
            if inode is not None and flags & os.O_EXCL:
                raise _error(errno.EEXIST)
            inode = inode or self.disk.make(str(path))
            if flags & os.O_TRUNC and inode.content:
                inode.do(Cut(0))
        self._next_fd += 1
        self.fds[self._next_fd] = inode
        return self._next_fd

    def close(self, fd: int) -> None:
        self._call("close")
        if fd not in self.fds:
            raise _error(errno.EBADF)
        del self.fds[fd]

    def dup2(self, fd: int, target: int, inheritable: bool = True) -> int:
        self._call("dup2")
        self._file(target)
        self.fds[target] = self._file(fd)
        return target

    def unlink(self, path: Path | str) -> None:
        inode = self.disk.find(str(path))
        try:
            self._call("unlink")
        except OSError:
            if inode is not None:
                self.disk.revenants.append(bytes(inode.content))
            raise
        if inode is None:
            raise _error(errno.ENOENT)
        self.disk.unlink(str(path))

    def stat(self, path: Path | str, *, follow_symlinks: bool = True) -> SimpleNamespace:
        self._call("stat")
        if not str(path).endswith((".jsonl", ".log")):
            time = self.disk.changes
            return SimpleNamespace(st_dev=1, st_ino=0, st_mtime_ns=time, st_ctime_ns=time)
        inode = self.disk.find(str(path))
        if inode is None:
            raise _error(errno.ENOENT)
        return _stat(inode)

    def lseek(self, fd: int, at: int, whence: int) -> int:
        assert (at, whence) == (0, os.SEEK_END)
        self._call("lseek")
        return len(self._file(fd).content)

    def fstat(self, fd: int) -> SimpleNamespace:
        self._call("fstat")
        return _stat(self._file(fd))

    def pread(self, fd: int, size: int, at: int) -> bytes:
        self._call("pread")
        return bytes(self._file(fd).content[at : at + size])

    def pwrite(self, fd: int, data: bytes, at: int) -> int:
        # On Linux a file opened with O_APPEND is appended to, whatever the place.
        return self.write(fd, data)

    def write(self, fd: int, data: bytes) -> int:
        """Write all, or a part of it: where the disk is full, or as the process dies."""
        kept = self._random.randint(0, len(data))
        short = self._call("write", lambda: self._put(fd, data[:kept]))
        self._put(fd, data[:kept] if short else data)
        return kept if short else len(data)

    def ftruncate(self, fd: int, size: int) -> None:
        inode = self._file(fd)
        try:
            self._call("ftruncate")
        except OSError:
            self.disk.revenants.append(bytes(inode.content[size:]))
            raise
        if size != len(inode.content):
            inode.do(Cut(size))

    def fsync(self, fd: int) -> None:
        inode = self.fds[fd]
        try:
            self._call("fsync")
        except OSError:
            if inode is not None:
                inode.fail_sync(self._random, forgets=self.disk.forgets)
            raise
        if inode is None:
            self.disk.sync_names()
        else:
            inode.sync()

    def fdatasync(self, fd: int) -> None:
        inode = self._file(fd)
        try:
            self._call("fdatasync")
        except OSError:
            inode.fail_sync(self._random, forgets=self.disk.forgets)
            raise
        inode.sync()

    def makedirs(self, path: Path, mode: int = 0o777, *, exist_ok: bool) -> None:
        """Folders are there already."""
        self._call("makedirs")

    def scandir(self, path: Path) -> Any:
        self._call("scandir")
        names = [Path(name) for name in self.disk.names]
        found = [SimpleNamespace(name=name.name) for name in names if name.parent == path]
        return nullcontext(found)

    def posix_fadvise(self, fd: int, at: int, size: int, advice: int) -> None:
        assert (at, size, advice) == (0, 0, os.POSIX_FADV_DONTNEED)
        self._call("posix_fadvise")
        self._file(fd).read_anew()

    # How they go.

    def _call(self, name: str, half: Callable[[], None] = lambda: None) -> bool:
        """Begin a call. True: it is to be a short write. Raises `OSError`, `Killed`.

        `half` is what it gets done if the process dies in it.
        """
        thread = getcurrent()
        if thread.parent is not None:
            thread.parent.switch()
        if not self.alive:
            raise Killed
        if self.doomed_in is not None:
            self.doomed_in -= 1
            if self.doomed_in < 0:
                self._trace(f"dies in {name}")
                half()
                self.die()
                raise Killed
        fault = next((fault for fault in self.faults if fault.call == name and fault.times), None)
        if fault is None:
            return False
        fault.times -= 1
        self._trace(f"{name} fails: {fault.error}")
        if fault.error:
            raise _error(fault.error)
        return True

    def _file(self, fd: int) -> Inode:
        inode = self.fds.get(fd)
        if inode is None:
            raise _error(errno.EBADF)
        return inode

    def _put(self, fd: int, data: bytes) -> None:
        inode = self._file(fd)
        inode.do(Put(len(inode.content), data))


def _fail(*_: object) -> None:
    raise AssertionError("a server that serves has no use for it")


def _end(job: greenlet) -> None:
    """Unwind what a dead process was doing: its clean-up gets no more done than it did."""
    while not job.dead:
        try:
            job.throw(Killed)
        except Killed:
            return


def _stat(inode: Inode) -> SimpleNamespace:
    size, mode = len(inode.content), stat.S_IFREG | 0o600
    return SimpleNamespace(st_dev=1, st_ino=inode.number, st_size=size, st_mode=mode)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
