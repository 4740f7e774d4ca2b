"""Chooses the storage: histories on this machine's disk alone, or shared with other nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from edgechat.chat.names import PrivateIds
from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.history.journal_owner import ALONE, Owner
from edgechat.nodes.errors import EngineError
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


class RoomStorage:
    """What rooms store in, and what the server needs of it."""

    def __init__(
        self,
        settings: Settings,
        folder: DataFolder,
        key: bytes,
        owner: Owner = ALONE,
    ) -> None:
        """`key` is that of private rooms; `owner`: which of the processes this is that store in
        this folder.

        Where there are nodes the engine decides what a power loss costs.
        """
        kept = replace(settings, durability="os") if settings.engine else settings
        self._histories = Histories(folder, kept, owner)
        self.catch_up = self._histories.catch_up  # until files lack nothing; False: one still does
        self.recover, self.statistics = self._histories.start, self._histories.statistics
        self._nodes: NodeStorage | None = None
        if settings.engine:
            from edgechat.nodes.engine_address import parse_address
            from edgechat.nodes.storage import NodeStorage

            address = parse_address(settings.engine)
            self._nodes = NodeStorage(self._histories, folder, address, key)
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

    async def start(self, ids: PrivateIds) -> None:
        """While it runs, and before anybody comes: the other nodes get what this folder has."""
        if self._nodes is not None:
            await self._nodes.start(ids)

    async def flush(self) -> None:
        """When all rooms have ended: until this machine's files have what was said in them."""
        if self._nodes is not None:
            await self._nodes.flush()
        await self._histories.flush()
