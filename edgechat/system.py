"""The one door to the operating system: files, clocks, randomness, threads, readiness of sockets.

The server asks the system for nothing except through the names in `__all__`, always as
`system.write(...)`, never by importing one of them. So whoever replaces these names replaces the
machine: the simulation does (`tests/simulation/`), and so do tests in which a call fails.
`tests/test_layers.py` holds the modules to it. `chat/` asks nothing at all: it is given the time.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from fcntl import LOCK_EX, LOCK_NB, flock
from os import (
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    POSIX_FADV_DONTNEED,
    SEEK_END,
    chmod,
    close,
    devnull,
    dup2,
    fdatasync,
    fstat,
    fsync,
    ftruncate,
    lseek,
    makedirs,
    mkdir,
    open,
    posix_fadvise,
    pread,
    pwrite,
    replace,
    scandir,
    sched_getaffinity,
    stat,
    stat_result,
    unlink,
    write,
)
from secrets import token_bytes
from select import EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLRDHUP, epoll
from subprocess import DEVNULL
from threading import Lock
from time import monotonic

from trio import Process
from trio.lowlevel import open_process, wait_readable, wait_writable
from trio.to_thread import run_sync as run_in_thread

__all__ = (
    "EPOLLERR",
    "EPOLLET",
    "EPOLLHUP",
    "EPOLLIN",
    "EPOLLRDHUP",
    "LOCK_EX",
    "LOCK_NB",
    "O_APPEND",
    "O_CLOEXEC",
    "O_CREAT",
    "O_DIRECTORY",
    "O_EXCL",
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "O_RDONLY",
    "O_RDWR",
    "O_TRUNC",
    "O_WRONLY",
    "POSIX_FADV_DONTNEED",
    "SEEK_END",
    "Lock",
    "chmod",
    "close",
    "descriptor_limit",
    "dup2",
    "epoll",
    "fdatasync",
    "flock",
    "fstat",
    "fsync",
    "ftruncate",
    "hold_descriptor",
    "lseek",
    "makedirs",
    "mkdir",
    "monotonic",
    "now_ms",
    "open",
    "posix_fadvise",
    "pread",
    "processors",
    "pwrite",
    "raise_file_limit",
    "replace",
    "run_in_thread",
    "scandir",
    "start_process",
    "stat",
    "stat_result",
    "token_bytes",
    "unlink",
    "wait_readable",
    "wait_writable",
    "write",
)


def now_ms() -> int:
    """The wall clock: Unix time in ms."""
    return time.time_ns() // 1_000_000


def raise_file_limit() -> None:
    """A connection is a file descriptor, and so is a room: take all that are allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptor_limit() -> int:
    """How many file descriptors this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def hold_descriptor() -> int:
    """A file descriptor that leads nowhere; `close` gives it back."""
    return open(devnull, O_RDONLY | O_CLOEXEC)


def processors() -> int:
    """How many cores this process may use."""
    return len(sched_getaffinity(0))


async def start_process(command: list[str], descriptors: Sequence[int]) -> Process:
    """Start a program that gets these file descriptors, under the same numbers, and standard error.

    Raises `OSError`.
    """
    return await open_process(command, stdin=DEVNULL, stdout=DEVNULL, pass_fds=descriptors)
