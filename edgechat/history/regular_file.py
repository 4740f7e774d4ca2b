"""Opens a file to read it, and waits for nothing: a folder may have anything in it."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from edgechat import system

_FLAGS = system.O_RDONLY | system.O_CLOEXEC | system.O_NOFOLLOW | system.O_NONBLOCK
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotAFile(OSError):
    """There is something else under this name: a folder, a link, a pipe, a socket, a device."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(errno.EINVAL, f"it is {what}, not a file", str(path))


def open_regular(path: Path) -> int:
    """A file descriptor to read from; the caller closes it. Raises `NotAFile`, `OSError`.

    Opening a pipe would wait for somebody who writes to it, but for `O_NONBLOCK`. Links are not
    followed, as the server follows none.
    """
    try:
        fd = system.open(path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotAFile(path, "a link") from None
        if error.errno == errno.ENXIO:
            raise NotAFile(path, "a socket") from None
        raise
    kind = stat.S_IFMT(system.fstat(fd).st_mode)
    if kind == stat.S_IFREG:
        return fd
    system.close(fd)
    raise NotAFile(path, _KINDS.get(kind, "something else"))
