"""Nodes without sockets for people: their storages, over one engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from edgechat.chat.line import StoredLine
from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.nodes.engine_address import parse_address
from edgechat.nodes.storage import NodeStorage
from edgechat.rooms.storage import Log
from edgechat.settings import Settings
from tests.nodes.engine import Engine
from tests.nodes.judge import soon
from tests.rooms.storage_contract import Stored

KEY = bytes(range(32))


class Node(Stored):
    """One node's storage, and its folder."""

    def __init__(self, storage: NodeStorage, folder: Path) -> None:
        super().__init__(storage)
        self.nodes = storage
        self.folder = folder

    async def answer(self, log: Log, after: StoredLine, lines: Sequence[bytes]) -> Exception | None:
        """Submit lines, and wait for what becomes of them."""
        ticket = -1 - len(self.answers)
        self.storage.submit(log, after, lines, ticket)
        self.take(self.storage.send())
        await soon(lambda: ticket in self.answers)
        return self.answers[ticket]

    @property
    def is_linked(self) -> bool:
        return self.nodes.link.up is not None

    def file(self, room: str = "lobby") -> Path:
        return self.folder / "rooms" / "public" / f"{room}.jsonl"


@asynccontextmanager
async def a_node(engine: Engine, data: Path, replicas: int = 0) -> AsyncIterator[Node]:
    """A node that runs until the block ends, and stops in order."""
    folder = DataFolder(data)
    folder.prepare()
    files = Histories(folder, Settings(data=data, sync_interval=0.0))
    storage = NodeStorage(files, folder, parse_address(engine.url), KEY, replicas)
    node = Node(storage, data)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(files.write_behind)
            nursery.start_soon(files.tidy)
            nursery.start_soon(storage.run, node.take)
            yield node
            await storage.flush()
            await files.flush()
            nursery.cancel_scope.cancel()
    finally:
        folder.release()
