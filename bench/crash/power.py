"""A disk whose power can be cut: ext4 on a loop device, and the ioctl that shuts it down."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

SIZE = 64 * 1024 * 1024
EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32): linux/fs/ext4/ext4.h
GONE_S = 10.0
WITHOUT_FLUSHING_THE_LOG = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH: what was not synced is gone


class NoPowerHere(Exception):
    """This machine does not let us mount a disk."""


class Disk:
    """A context manager: made and mounted on entering, gone on leaving. Needs root."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="edgechat-power-")
        self._image = Path(self._folder.name) / "disk.img"
        self.path = Path(self._folder.name) / "mounted"

    def __enter__(self) -> Disk:
        with self._image.open("wb") as image:
            image.truncate(SIZE)
        self.path.mkdir()
        try:
            _run("mkfs.ext4", "-q", "-F", str(self._image))
            self._mount()
        except NoPowerHere:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _run("umount", str(self.path))
        self._folder.cleanup()

    def cut(self) -> None:
        """From now on nothing reaches the disk, and what was not synced never did."""
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, WITHOUT_FLUSHING_THE_LOG.to_bytes(4, "little"))
        finally:
            os.close(fd)

    def restore(self) -> None:
        """Mount it again, as after a boot. Whoever had files open there is gone, or goes soon."""
        deadline = time.monotonic() + GONE_S
        while True:
            try:
                _run("umount", str(self.path))
            except NoPowerHere:  # the tracer of a server that was killed ends after that
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.path))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise NoPowerHere(f"there is no {command[0]}") from None
    if done.returncode:
        raise NoPowerHere(f"{command[0]}: {done.stderr.strip()}")
