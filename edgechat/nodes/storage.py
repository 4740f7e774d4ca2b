"""The storage that several nodes share: what is said is appended in the engine, and kept in files.

A node drafts, and the engine compares: it appends iff the room's head is still the line that the
draft goes on from. So there is one order, whoever speaks where, and no node owns a room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import trio

from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.history.data_folder import DataFolder
from edgechat.nodes.appends import Appends
from edgechat.nodes.archives import Archives, Files
from edgechat.nodes.archivist import Archivist
from edgechat.nodes.arrival import Arrival
from edgechat.nodes.counting import count
from edgechat.nodes.engine_address import EngineAddress
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import EngineError
from edgechat.nodes.levelling import Levelling
from edgechat.nodes.link import Link
from edgechat.nodes.lookout import Has, Lookout, every_file, no_file
from edgechat.nodes.node_ledger import NodeLedger
from edgechat.nodes.node_rosters import NodeRosters
from edgechat.nodes.opening import Opening
from edgechat.nodes.room_log import RoomLog
from edgechat.nodes.siblings import Siblings
from edgechat.nodes.statistics import NodeStatistics
from edgechat.nodes.upkeep import Upkeep
from edgechat.rooms.storage import Answer, Wake, nothing

_TICK = 0.25
_FINISH = 3.0  # seconds for the last lines of ended rooms
_START = 10.0  # seconds that a start waits for the link
_PATIENCE = 2.0  # seconds that an opening waits for the link
_UNREADY = 10.0  # seconds without a link after which this node wants no more visitors


class NodeStorage:
    """All rooms' histories, here and on the other nodes: `rooms.storage.Storage`."""

    def __init__(
        self,
        files: Files,
        folder: DataFolder,
        address: EngineAddress,
        key: bytes,
        replicas: int = 0,
        has: Has = every_file,
    ) -> None:
        """`files` keeps this node's copies in `folder`; `key` is the nodes' own (`joining`).

        What is said is shown when so many `replicas` of the engine have it. `has` says which files
        are this process's while their rooms are closed.
        """
        self._files = files
        self.link = Link(address, self._pushed, self._settle, self._arrive)
        connection = self.link.connection
        self._archives = Archives(files, folder)
        self._siblings = Siblings(
            connection, lambda key, after: self.archivist.read_page(key, after)
        )
        self._appends = Appends(
            lambda: self.link.up, lambda room: self._levelling.soon(room), self._settle, replicas
        )
        self.submit, self.send = self._appends.submit, self._appends.send
        logs = self._appends.logs
        self._levelling = Levelling(logs, connection, self._siblings.ask, self._launch)
        self._presence = NodeRosters(self._siblings.boot, logs, connection)
        self.ledger = NodeLedger(connection)
        self._upkeep = Upkeep(self._archives, connection, self._siblings.ask)
        level = self._levelling.soon
        self._lookout = Lookout(self._upkeep, logs, connection, level, has, key)
        self.archivist = Archivist(
            self._archives, logs, connection, lambda key: self._lookout.has(key), self._upkeep.lacks
        )
        self._opening = Opening(
            key,
            self._archives,
            self._upkeep,
            self.archivist,
            self._levelling,
            self._presence,
            self._appends.replicas,
            logs,
            connection,
        )
        self._arrival = Arrival(key, logs, self._siblings, self._levelling, self._presence)
        self._relaunch = False
        self._answered: Callable[[Sequence[Answer]], None]

    @property
    def works(self) -> bool:
        """Whether what was tried last on this machine's disk was stored."""
        return self._files.works

    def statistics(self) -> NodeStatistics:
        """What this node counts."""
        return count(self.link, self._appends, self._levelling, self._upkeep, self.archivist)

    async def check(self) -> bool:
        """Whether the engine and its replicas were there a moment ago, and this disk works."""
        short, down = self._appends.replicas.short_since, self.link.down_since
        since = down if self.link.up is None else short
        is_there = since is None or trio.current_time() - since < _UNREADY
        return is_there and await self._files.check()

    async def start(self, ids: PrivateIds) -> None:
        """While it runs: until the engine has what this folder has, and the files what that has.

        `ids` are those of private rooms. Raises `EngineError` where it does not answer.
        """
        with trio.move_on_after(_START):
            await self.link.wait_up()
        if self.link.up is None:
            raise EngineError(
                f"The engine at {self.link.address} can't be used: {self.link.trouble}."
            )
        await self._upkeep.keep_all(ids, self._lookout.has)

    async def run(self, answered: Callable[[Sequence[Answer]], None]) -> None:
        """See `rooms.storage`: `answered` is given the answers. For ever."""
        self._answered = answered
        async with trio.open_nursery() as nursery:
            self._levelling.nursery = self._opening.nursery = nursery
            start = nursery.start_soon
            start(self._files.run, self._archives.answered)
            for task in (self.link.run, self._appends.delays.run, self._siblings.run, self._tick):
                start(task)
            start(self._presence.run)
            start(self._presence.beat)
            start(self.archivist.write_all)
            start(self._lookout.run)

    async def open(self, key: RoomKey, wake: Wake = nothing) -> RoomLog:
        """See `rooms.storage.Storage`. The file gets what it lacks, and the engine as well."""
        with trio.move_on_after(_PATIENCE):
            await self.link.wait_up()
        return await self._opening.open(key, wake)

    async def flush(self) -> None:
        """Until the files have what was said in rooms that have ended; bounded."""
        with trio.move_on_after(_FINISH):
            await self.archivist.finish_all()
            await self._lookout.look()  # what was said on other nodes until now

    async def take(self, has: Has) -> None:
        """From now on these files are this process's."""
        await self._lookout.change(has)

    async def let_go(self) -> None:
        """All rooms have ended. Returns when no file is used any more: others may have them."""
        await self._lookout.change(no_file)
        await self.archivist.finish_all()

    # The link.

    async def _arrive(self, connection: EngineConnection, changed: bool) -> None:
        if changed:
            self._lookout.begin_again()
        await self._arrival.arrive(connection, changed)
        self._relaunch = True

    def _launch(self, room: RoomLog) -> None:
        """It is level, or not to be brought level: what waits there goes on."""
        self._appends.launch(room)
        self._settle()

    def _pushed(self, channel: bytes, data: bytes) -> None:
        room = self._appends.logs.get(channel)
        if room is not None:
            if data[:1].isdigit():
                self._appends.hear(room, data)
            else:
                self._presence.hear(room, data)
        else:
            self._siblings.heard(channel, data)

    def _settle(self) -> None:
        """Pass on what is answered."""
        if self._relaunch and self.link.up is not None:
            self._relaunch = False
            for room in list(self._appends.logs.values()):
                self._appends.launch(room)
        if answers := self._appends.take_answers():
            self._answered(answers)

    async def _tick(self) -> NoReturn:
        while True:
            await trio.sleep(_TICK)
            up = self.link.up is not None
            self._appends.give_up(0.0 if up else trio.current_time() - self.link.down_since)
            for room in list(self._appends.logs.values()):
                if up and not room.is_level and room.failure is None:
                    self._levelling.soon(room)
            self._settle()
