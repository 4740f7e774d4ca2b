"""What was handed over to a worker that ended before it read it: nothing of it was served."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

from edgechat.net import request_head
from edgechat.net.caller import Caller
from edgechat.net.request_head import Head
from edgechat.workers.channel import Channel
from edgechat.workers.held import Held
from edgechat.workers.messages import Handed

log = logging.getLogger(__name__)


def take_back(its_end: Channel, held: Held) -> Sequence[tuple[Caller, Head]]:
    """The connections that wait in the worker's end of its channel, in order, as they came in.

    The worker has ended, and nobody sends to it. What it read is not among them: a connection
    that it may have begun to serve was closed with it. They are the caller's, and count for their
    addresses as before; `held` counts them no longer.
    """
    found = []
    while (received := its_end.receive_nowait()) is not None:
        handed, descriptor = received
        if not isinstance(handed, Handed):
            continue  # of no use to anybody else
        if descriptor is None:
            log.error("There was no file descriptor for a connection, which is lost.")
            continue  # with whatever else the worker held
        held.give_up(handed.counted, page=handed.page)
        connection = socket.socket(handed.family, socket.SOCK_STREAM, 0, descriptor)
        caller = Caller(connection, handed.peer, False, False, handed.counted or None, handed.page)
        head = request_head.parse(handed.text, handed.rest, len(handed.text))  # it was checked
        found.append((caller, head))
    return found
