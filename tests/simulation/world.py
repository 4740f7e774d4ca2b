"""The world: one seed, one list of actions, and what came of them."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from random import Random
from unittest.mock import patch

import trio
from trio.testing import MockClock

from edgechat.settings import Durability

from . import scene
from .actions import Action, invent
from .cast import Cast
from .client import Client
from .disk import Disk
from .frames import Frames
from .host import Host
from .journal import watching_logs
from .network import Link
from .system import System
from .truth import Truth

_CALLS = 60  # that two background syncs of all rooms take at most, and bad luck
_QUIET = 3.0  # seconds between two looks
_LOOKS = 100  # until everybody has to have had their answers
_ZOMBIES = 40.0  # seconds in which every dead connection is noticed
_CLOSES = {1000, 1012, 1013, 4008, 4408}  # all that clients without fault may get to see


class Failure(Exception):
    """A promise was broken."""


@dataclass(slots=True)
class Story:
    """What happened: what was done, and a digest of all that a server sent and did, and when."""

    actions: list[Action] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        return blake2b("\n".join(self.events).encode(), digest_size=8).hexdigest()


def run(seed: str, actions: Sequence[Action] | None = None, most: int = 40) -> Story:
    """Play a list of actions, or invent up to `most` of them. Raises `Failure`."""
    return World(seed, actions, most).run()


class World:
    """Clients, their connections, and the machine with the server."""

    def __init__(
        self,
        seed: str,
        actions: Sequence[Action] | None,
        most: int,
        durability: Durability | None = None,
    ) -> None:
        """`durability`: that of the server, where the seed is not to choose it."""
        self.story = Story()
        self._seed = seed
        self._actions = actions
        self._random = Random(f"{seed}/actions")
        self._count = self._random.randint(1, max(1, most))
        self._failures: list[str] = []
        self._scope = trio.CancelScope()
        settings = scene.settings(Random(f"{seed}/settings"))
        if durability is not None:
            settings = replace(settings, durability=durability)
        disk_random = Random(f"{seed}/disk")
        self._disk = Disk(disk_random, forgets=settings.durability == "disk")
        self._system = System(self._disk, self._note)
        self._truth = Truth(self._disk, settings, self._fail)
        self._truth.patience += _CALLS * self._system.slowness
        self._host = Host(settings, self._system, self._truth, Random(f"{seed}/host"))
        self._links = 0
        clients = scene.clients(seed, settings, self._truth, self._dial)
        self._cast = Cast(clients, self._truth, self._host, self._system, Random(f"{seed}/cast"))

    def run(self) -> Story:
        with _in_order(self._seed), watching_logs(self._note, self._fail):
            try:
                trio.run(self._main, clock=MockClock(autojump_threshold=0))
            except Exception:
                self._failures.append(traceback.format_exc())
        if self._failures:
            raise Failure(self._failures[0])
        return self.story

    # What goes on.

    async def _main(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._host.run)
                for client in self._cast.clients:
                    nursery.start_soon(client.run)
                await self._play()
                await self._settle()
                nursery.cancel_scope.cancel()

    async def _play(self) -> None:
        actions: Iterator[Action]
        if self._actions is None:
            actions = (invent(self._random) for _ in range(self._count))
        else:
            actions = iter(self._actions)
        for action in actions:
            self.story.actions.append(action)
            self._note(str(action))
            await trio.sleep(self._cast.act(action))
            self._truth.check()

    async def _settle(self) -> None:
        """Everything is well again: now all that was promised must come."""
        self._cast.heal()
        await self._wait_settled()
        await trio.sleep(_ZOMBIES)
        await self._wait_settled()  # one whose connection was a dead one has come back
        self._truth.check_quiet(self._cast.stored())
        self._cast.check_rosters()
        self._cast.leave()
        await trio.sleep(_ZOMBIES + self._truth.settings.room_idle)
        self._truth.check()
        if self._system.fds:
            self._fail(f"{len(self._system.fds)} files are open, and nobody is there")
        self._tell()

    async def _wait_settled(self) -> None:
        for _ in range(_LOOKS):
            await trio.sleep(_QUIET)
            self._truth.check()
            if self._cast.is_settled():
                return
        self._fail(f"still waiting: {self._cast.waiting()}")

    def _tell(self) -> None:
        tally = self.story.tally = self._truth.tally
        tally["lines stored"], tally["lines shown"] = self._truth.count()
        tally["server processes"] = self._truth.process
        tally["connections"] = self._links
        tally["power losses"] = self._truth.epoch

    def _dial(self, client: Client, room: str) -> Link:
        self._links += 1
        number, frames = self._links, Frames()

        def watch(data: bytes) -> None:
            payloads = frames.feed(data)
            if frames.close is not None:
                self._closed(number, frames.close)
            for payload in payloads:
                self._note(f"to {client.name}/{number}: {payload!r}")
                if payload.startswith(b'{"seq":'):
                    self._truth.show(room, payload)

        peer = f"10.0.0.{1 + self._cast.clients.index(client)}"
        link = Link(number, client.name, peer, self._seed, watch)
        self._host.connect(link)
        return link

    def _closed(self, number: int, code: int) -> None:
        self._truth.tally[f"closed {code}"] += 1
        self._note(f"closed {number} with {code}")
        if code not in _CLOSES:
            self._fail(f"a connection was closed with {code}")

    def _note(self, what: str) -> None:
        self.story.events.append(f"{trio.current_time():.6f} {what}")

    def _fail(self, what: str) -> None:
        self._failures.append(what)
        self._note(f"BROKEN: {what}")
        self._scope.cancel()


@contextmanager
def _in_order(seed: str) -> Iterator[None]:
    """Trio runs tasks in random order on purpose: let that be this seed's order.

    There is no documented way. `_r` decides the order, and with the flag it starts from one that
    does not depend on addresses: Trio has both for its own Hypothesis plug-in (see
    `trio._core._run._hypothesis_plugin_setup`), which seeds `_r` in the same way.
    """
    module = trio._core._run
    state = module._r.getstate()
    with patch.object(module, "_ALLOW_DETERMINISTIC_SCHEDULING", True):
        module._r.seed(seed)
        try:
            yield
        finally:
            module._r.setstate(state)
