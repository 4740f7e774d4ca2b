"""What a worker process runs first: `python -c …`, with the descriptors that the front gave it."""

from __future__ import annotations

import gc
import signal
import sys


def main() -> None:
    """Serve until the front says stop, or is gone.

    A terminal sends its signals to all processes of a command, and systemd to all of a service:
    here they mean nothing, as the front says what they mean.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # nothing that is imported becomes garbage
    channel, lock = map(int, sys.argv[1:3])
    import trio

    from edgechat.workers.life import run

    trio.run(run, channel, lock, strict_exception_groups=True)
