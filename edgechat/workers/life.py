"""The life of a worker process: it is told what to be, serves, and says why where it can't."""

from __future__ import annotations

import socket
import sys
from contextlib import closing, suppress

from edgechat import logs
from edgechat.history.data_folder import DataFolder
from edgechat.workers.channel import Channel, ChannelClosed
from edgechat.workers.messages import FORMAT, MOST_BYTES, Failed, ToWorker
from edgechat.workers.worker import Worker


async def run(channel_descriptor: int, lock: int) -> None:
    """Serve as the front says, until it says stop or is gone."""
    end = socket.socket(fileno=channel_descriptor)
    with closing(Channel(end, ToWorker, MOST_BYTES)) as channel, suppress(ChannelClosed):
        begin, _ = await channel.receive()
        logs.set_up(begin.log, sys.stderr, f"worker {begin.number}")
        if begin.format != FORMAT:
            text = f"its code is of format {FORMAT}, the front's of {begin.format}: restart all"
            await channel.send(Failed(text))
            return
        worker = Worker(begin, DataFolder(begin.settings.data, lock), channel)
        try:
            await worker.serve()
        except Exception as defect:
            if not worker.is_ready:
                await channel.send(Failed(_words(defect)))
            raise


def _words(defect: Exception) -> str:
    """What was raised in some nursery."""
    while isinstance(defect, ExceptionGroup):
        defect = defect.exceptions[0]
    return f"{type(defect).__name__}: {defect}"
