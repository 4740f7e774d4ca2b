"""The machine that a data folder is on, looked at: disk, clock, limits."""

from __future__ import annotations

import os
import re
import resource
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edgechat.cli.data import journal_of
from edgechat.cli.finding import Finding, error, ok, warning
from edgechat.cli.rooms import described, size_words
from edgechat.settings import Settings

_LEAST_BYTES, _FEW_BYTES = 100e6, 1e9
_LEAST_NAMES = 1_000
_CLOCK = 5.0  # seconds by which a clock may be off
_SPARE = 100  # descriptors for anything but connections and histories
_LIMIT = re.compile(r"^Max open files +\S+ +(\d+|unlimited)", re.MULTILINE)
_NEWEST = 100  # histories whose last line is looked at


def check_machine(data: Path) -> Iterator[Finding]:
    """All that a server on this folder needs of the machine."""
    yield _check_disk(data)
    yield _check_clock(data)
    yield _check_limits(data)
    yield from _check_workers(data)


def _check_disk(data: Path) -> Finding:
    disk = os.statvfs(data)
    free = disk.f_bavail * disk.f_frsize
    words = f"{size_words(free)} are free on the disk of {data}"
    if free < _LEAST_BYTES:
        return error(f"Only {words}.", "Make room: on a full disk every message is refused.")
    if disk.f_files and disk.f_favail < _LEAST_NAMES:
        return error("The disk has hardly a place for new files.", "Remove files: a room is one.")
    if free < _FEW_BYTES:
        return warning(f"Only {words}.", "Make room: on a full disk every message is refused.")
    return ok(f"{words}.")


def _check_clock(data: Path) -> Finding:
    journal = journal_of(data)
    times = {}
    for path in (data / "rooms").glob("*/*.jsonl"):
        with suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                times[path] = found.st_mtime
    newest = sorted(times, key=times.__getitem__)[-_NEWEST:]
    last = max((described(path, journal).last or 0 for path in newest), default=0) / 1_000
    ahead = last - time.time()
    if ahead > _CLOCK:
        words = "Set the clock by NTP. Until it has caught up, messages are 1 ms apart."
        return warning(f"The last message is {ahead:.0f} s in the future.", words)
    return ok("The clock is not behind the last message.")


def _check_limits(data: Path) -> Finding:
    pid = server_of(data)
    limit, whose = _limit_of(pid), "This user"
    if pid is not None:
        whose = f"The server (process {pid})"
    most = Settings().max_connections + _SPARE
    if limit < most:
        words = "Raise it (LimitNOFILE= in systemd, `ulimit -Hn`), or give the server a smaller "
        words += "--max-connections: each connection and each open room takes one."
        return warning(f"{whose} may open {limit:,} files.", words)
    return ok(f"{whose} may open {limit:,} files.")


def _check_workers(data: Path) -> Iterator[Finding]:
    """How many processes a server has, beside the cores that it may use."""
    pid = server_of(data)
    if pid is None:
        return
    try:
        cores, workers = len(os.sched_getaffinity(pid)), len(_children(pid))
    except ProcessLookupError:
        text = "The server's first process has ended; its workers stop, and hold the folder."
        yield warning(text, "Wait ten seconds before you start another one.")
        return
    except OSError:  # another user's
        return
    if workers > cores:
        words = "More than cores makes nothing faster: --workers auto takes as many as there are."
        yield warning(f"The server has {workers} workers on {_cores(cores)}.", words)
    elif workers:
        yield ok(f"The server has {workers} workers on {_cores(cores)}.")
    elif cores > 1:
        yield ok(f"The server uses one of {cores} cores; --workers auto lets it use all.")


def _cores(count: int) -> str:
    return "one core" if count == 1 else f"{count} cores"


def _children(pid: int) -> set[str]:
    found: set[str] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        found.update(children.read_text().split())
    return found


def server_of(data: Path) -> int | None:
    """The process that holds the folder's lock, if it can be seen from here."""
    try:
        inode = (data / "lock").stat().st_ino
        locks = Path("/proc/locks").read_text()
    except OSError:
        return None
    found = re.search(rf" FLOCK .* WRITE (\d+) \S+:{inode} ", locks)
    return int(found[1]) if found and int(found[1]) > 0 else None


def _limit_of(pid: int | None) -> int:
    _, own = resource.getrlimit(resource.RLIMIT_NOFILE)  # a server raises its own to this
    if pid is not None:
        try:
            found = _LIMIT.search(Path(f"/proc/{pid}/limits").read_text())
        except OSError:
            found = None
        if found:
            own = resource.RLIM_INFINITY if found[1] == "unlimited" else int(found[1])
    return 10**9 if own == resource.RLIM_INFINITY else own
