"""The places of a server: its data folder, which it locks, and the sockets that it listens on."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import NamedTuple

import trio

from edgechat import system
from edgechat.chat.names import PrivateIds
from edgechat.history.data_folder import DataFolder
from edgechat.history.strays import warn_of_strays
from edgechat.net.listening import listen_at, listen_for
from edgechat.net.unix_socket import forget
from edgechat.settings import Settings


class Places(NamedTuple):
    """What is taken. `key` signs the ids of private rooms; `scraped` are for metrics."""

    folder: DataFolder
    key: bytes
    sockets: Sequence[socket.socket]
    scraped: Sequence[socket.socket]


@asynccontextmanager
async def take_places(settings: Settings) -> AsyncIterator[Places]:
    """All of them until the block ends, or none. Raises `DataFolderError`, `ListenError`.

    Files that no room reads are named in the log meanwhile.
    """
    system.raise_file_limit()
    folder = DataFolder(settings.data)
    key = folder.prepare()
    with ExitStack() as stack:
        stack.callback(folder.release)
        sockets = [stack.enter_context(each) for each in listen_for(settings)]
        stack.callback(forget, settings.uds)
        scraped = [stack.enter_context(each) for each in listen_at(settings.metrics_address)]
        async with trio.open_nursery() as beside:
            beside.start_soon(system.run_in_thread, warn_of_strays, folder.path, PrivateIds(key))
            yield Places(folder, key, sockets, scraped)
