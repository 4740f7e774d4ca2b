"""A Unix socket to listen on: a proxy on this machine needs no port.

The file's owner and group say who may connect. Whoever does counts as 127.0.0.1, so that all that
is said of that address holds here too: no limit by address, and `--trusted-proxy 127.0.0.1` has the
proxy's word believed for whom it speaks.
"""

from __future__ import annotations

import errno
import socket
import stat
from contextlib import suppress

from edgechat import system

BACKLOG = 1_024  # connections that wait to be accepted
PEER = "127.0.0.1"  # whose connections have no address
_MODE = 0o660


class ListenError(Exception):
    """Nobody can listen there. Its text says why, for a person."""


def listen_unix(path: str) -> socket.socket:
    """A Unix socket that listens at `path`, for its owner and group. Raises `ListenError`.

    One that a server left behind when it was killed is replaced; one that listens is not.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        _clear_away(path)
        listening.bind(path)
        system.chmod(path, _MODE)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        raise ListenError(f"Can't listen on {path}: {reason}.") from None
    return listening


def _clear_away(path: str) -> None:
    """Remove a socket at which nobody listens. Raises `OSError`: somebody does, or it is a file."""
    try:
        if not stat.S_ISSOCK(system.stat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file of that name")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a full backlog is somebody who listens
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                system.unlink(path)
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, "address already in use")


def forget(path: str) -> None:
    """Remove the socket of a server that is gone; nothing where there is none."""
    with suppress(OSError):
        if path and stat.S_ISSOCK(system.stat(path).st_mode):
            system.unlink(path)
