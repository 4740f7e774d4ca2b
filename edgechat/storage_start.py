"""Chooses the storage: histories on this machine's disk alone, or shared with other nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from edgechat.chat.names import PrivateIds
from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.history.journal.owner import ALONE, Owner
from edgechat.nodes.errors import EngineError
from edgechat.nodes.statistics import NodeStatistics
from edgechat.rooms.allowances import Allowances
from edgechat.rooms.limiter import Ledger
from edgechat.rooms.share import ALL, Share
from edgechat.rooms.storage import Answer, Storage
from edgechat.settings import Settings

if TYPE_CHECKING:
    from edgechat.nodes.storage import NodeStorage

_NO_CLIENT = "--engine needs the package hiredis: pip install 'edgechat[nodes]'."


async def join_nodes(settings: Settings, folder: DataFolder, key: bytes) -> bytes:
    """The key of private rooms: this folder's, or where there are nodes, that of all of them.

    Raises `EngineError`.
    """
    if not settings.engine:
        return key
    try:
        from edgechat.nodes import joining
    except ImportError:
        raise EngineError(_NO_CLIENT) from None
    from edgechat.nodes.engine_address import parse_address

    return await joining.join_nodes(parse_address(settings.engine), folder, key)


async def tell_nodes(settings: Settings, folder: DataFolder, key: bytes) -> None:
    """The other nodes get what this folder has, before it is parted among several processes.

    Raises `EngineError`.
    """
    if settings.engine:
        storage = RoomStorage(settings, folder, key)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(storage.run, lambda answers: None)
            await storage.start(PrivateIds(key))
            await storage.flush()
            nursery.cancel_scope.cancel()


class RoomStorage:
    """What rooms store in, and what the server needs of it."""

    def __init__(
        self,
        settings: Settings,
        folder: DataFolder,
        key: bytes,
        share: Share = ALL,
        owner: Owner = ALONE,
    ) -> None:
        """`key` is that of private rooms; `share` says which rooms are this process's, and `owner`
        which of the processes it is that store in this folder.

        Where there are nodes the engine decides what a power loss costs.
        """
        kept = replace(settings, durability="os") if settings.engine else settings
        self._histories = Histories(folder, kept, owner)
        self.catch_up = self._histories.catch_up  # until files lack nothing; False: one still does
        self._share = share
        self.statistics = self._histories.statistics
        self._at_once = bool(settings.engine) or owner is not ALONE  # others read these files
        self._nodes: NodeStorage | None = None
        if settings.engine:
            from edgechat.nodes.engine_address import parse_address
            from edgechat.nodes.lookout import every_file, no_file
            from edgechat.nodes.storage import NodeStorage

            address = parse_address(settings.engine)
            has = every_file if share.has is None else no_file
            self._nodes = NodeStorage(self._histories, folder, address, key, settings.replicas, has)
        self.rooms: Storage = self._nodes or self._histories

    @property
    def works(self) -> bool:
        """Whether what was tried last on this machine's disk was stored."""
        return self.rooms.works

    async def check(self) -> bool:
        """Whether a message could be stored now: for `readyz`."""
        return await self.rooms.check()

    async def run(self, answered: Callable[[Sequence[Answer]], None]) -> None:
        """Answer, for ever, what could not be answered at once."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._histories.write_behind)
            nursery.start_soon(self._histories.tidy)
            await self.rooms.run(answered)

    async def recover(self) -> None:
        """Put back what an earlier server left in the journal. Raises `DataFolderError`."""
        await self._histories.start(at_once=self._at_once)

    async def start(self, ids: PrivateIds) -> None:
        """While it runs, and before anybody comes: the other nodes get what this folder has."""
        if self._nodes is not None:
            await self._nodes.start(ids)

    def node_statistics(self) -> NodeStatistics | None:
        """Of this node and its engine; None without any."""
        return self._nodes.statistics() if self._nodes is not None else None

    async def take(self) -> None:
        """The share of rooms is this process's from now on: no other one uses their files."""
        if self._nodes is not None and self._share.has is not None:
            await self._nodes.take(self._share.has)

    async def let_go(self) -> None:
        """All rooms have ended: returns when no file is used, and another process may have them."""
        if self._nodes is not None:
            await self._nodes.let_go()

    @property
    def ledger(self) -> Ledger | None:
        """Where it is added up what addresses spend in all processes; None where there is one."""
        return self._nodes.ledger.spending if self._nodes is not None else self._share.ledger

    async def settle(self, allowances: Allowances) -> None:
        """Where there are nodes, and for ever: what is spent here is told, and learnt."""
        if self._nodes is not None:
            await self._nodes.ledger.run(allowances)

    async def flush(self) -> None:
        """When all rooms have ended: until this machine's files have what was said in them."""
        if self._nodes is not None:
            await self._nodes.flush()
        await self._histories.flush()
