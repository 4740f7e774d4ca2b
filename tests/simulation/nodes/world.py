"""One world: nodes over an engine, people, what happens to them, and what came of it."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from errno import ENOSPC
from pathlib import Path as FilePath
from random import Random
from unittest.mock import patch

import trio
from trio.testing import MockClock

from edgechat.chat.names import RoomKey
from edgechat.nodes import archivist, forks, level
from edgechat.nodes.keys import keys_of
from edgechat.settings import Settings

from ..journal import watching_logs
from ..system import Fault
from ..world import Failure, _in_order
from .actions import KINDS, MENDED, Action, invent
from .engine import State
from .engine_host import EngineHost
from .judge import Losses, is_quiet, judge
from .link import Path, Post
from .machine import Machine, in_place, is_killed
from .node import Node
from .person import Person

ROOMS = ("lobby", "tea")
_QUIET = 1.0  # seconds between two looks
_LOOKS = 90  # until everybody has to have had their answers, and all files to be the same
_STOP = 15.0  # seconds in which all nodes have ended
_BEFORE, _AFTER = 3.0, 4.0  # seconds without trouble around a loss that all nodes can mend


@dataclass(slots=True)
class Story:
    """What happened."""

    actions: list[Action] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)


def run(seed: str, actions: Sequence[Action] | None = None, most: int = 25) -> Story:
    """Play a list of actions, or invent up to `most` of them. Raises `Failure`."""
    return World(seed, actions, most).run()


class World:
    """Nodes, their engine, and people."""

    def __init__(self, seed: str, actions: Sequence[Action] | None = None, most: int = 25) -> None:
        self.story = Story()
        self._seed = seed
        self._actions = actions
        self._random = random = Random(f"{seed}/actions")
        self._count = random.randint(1, most)
        self._kinds = random.choice(KINDS)
        self._failures: list[str] = []
        self._scope = trio.CancelScope()
        self._nursery: trio.Nursery
        self._losses = Losses()
        self._is_over = False  # no more happens
        self._trouble_until = 0.0
        self._mended_at = 0.0  # until then a trouble is bad luck

    # Its beginning.

    def run(self) -> Story:
        with _in_order(self._seed), _small(self._random), watching_logs(self._note, self._defect):
            try:
                with in_place():
                    trio.run(self._main, clock=MockClock(autojump_threshold=0))
            except Exception:
                self._failures.insert(0, traceback.format_exc())
        if self._failures:
            raise Failure(self._failures[0])
        return self.story

    def _make(self) -> None:
        random = Random(f"{self._seed}/scene")
        settings = Settings(
            data=FilePath("/data"),
            engine="redis://engine:6379",
            replicas=random.choice((0, 0, 0, 1)),
            message_interval=random.choice((0.0, 0.0, 0.2)),
            room_idle=random.choice((5.0, 20.0)),
            recent_lines=random.choice((6, 1_000)),
            known_ids=random.choice((200, 10_000)),
        )
        self._settings = settings
        self._post = Post()
        self._host = EngineHost(Random(f"{self._seed}/engine"), self._note)
        self._host.engine.replicas = settings.replicas
        self._losses.by_replica = bool(settings.replicas)
        self._nodes = [self._node(name, settings) for name in "abcd"[: random.randint(2, 4)]]
        self._people = [
            Person(
                f"p{number}",
                ROOMS[number % 4 == 3],
                self._nodes,
                Random(f"{self._seed}/person {number}"),
                self._note,
                self._fail,
            )
            for number in range(random.randint(2, 6))
        ]

    def _node(self, name: str, settings: Settings) -> Node:
        path = Path(Random(f"{self._seed}/path {name}"), self._post)
        if self._kinds.keys() <= MENDED.keys():
            path.latency = min(path.latency, 0.002)
        random = Random(f"{self._seed}/machine {name}")
        machine = Machine(random, self._note, self._host, path)
        return Node(name, settings, machine, Random(f"{self._seed}/node {name}"))

    async def _main(self) -> None:
        self._make()
        with self._scope:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._post.run)
                for node in self._nodes:
                    self._nursery.start_soon(node.run)
                for person in self._people:
                    self._nursery.start_soon(person.run)
                await self._play()
                await self._settle()
                self._nursery.cancel_scope.cancel()

    async def _play(self) -> None:
        await trio.sleep(self._random.choice((0.0, 1.0)))
        done = self._actions
        for number in range(self._count if done is None else len(done)):
            action = invent(self._random, self._kinds) if done is None else done[number]
            self.story.actions.append(action)
            self._note(str(action))
            await getattr(self, f"_{action.what}")(action)
            await trio.sleep(action.pause)

    async def _settle(self) -> None:
        """Everything is well again: now all that was promised must come."""
        self._is_over = True
        self._heal()
        for _ in range(_LOOKS):
            await trio.sleep(_QUIET)
            if self._is_settled():
                break
        else:
            self._fail(f"it does not come to rest: {self._waiting()}")
        lines = self._judge()
        for person in self._people:
            person.leave()
        for node in self._nodes:
            node.want(False)
            node.stop()
        with trio.move_on_after(_STOP) as patience:
            while any(node.process for node in self._nodes):  # noqa: ASYNC110 - a look from outside
                await trio.sleep(_QUIET)
        if patience.cancelled_caught:
            self._fail("a node does not stop")
        self._judge()
        self._tell(lines)

    def _heal(self) -> None:
        self._host.heal()
        self._host.engine.replicas = self._settings.replicas
        for node in self._nodes:
            node.machine.faults.clear()
            node.machine.path.heal()
            node.want(True)

    def _is_settled(self) -> bool:
        rosters = {
            room: sorted(person.name for person in self._people if person.room == room)
            for room in ROOMS
        }
        return (
            all(person.sees(rosters[person.room]) for person in self._people)
            and all(self._has_read(person) for person in self._people)
            and self._is_known_who_lives()
            and all(node.running is not None for node in self._nodes)
            and all(person.is_settled for person in self._people)
            and is_quiet(self._nodes, ROOMS, self._host.engine)
        )

    def _has_read(self, person: Person) -> bool:
        """Whether they were shown the room's last line."""
        meta = keys_of(RoomKey(person.room, private=False)).meta.encode()
        head = self._host.engine.state.hashes.get(meta)
        return head is None or (bool(person.shown) and person.shown[-1].h.encode() == head[b"h"])

    def _is_known_who_lives(self) -> bool:
        """Whether no node takes anybody for present on one that is dead."""
        storages = [node.running._storage._nodes for node in self._nodes if node.running]
        nodes = [storage for storage in storages if storage is not None]
        alive = {storage._siblings.boot for storage in nodes}
        logs = [log for storage in nodes for log in storage._appends.logs.values()]
        return all(log.others.keys() <= alive for log in logs)

    def _waiting(self) -> str:
        away = [node.name for node in self._nodes if node.running is None]
        people = [f"{one.name} {len(one.unacked)}" for one in self._people if not one.is_settled]
        quiet = is_quiet(self._nodes, ROOMS, self._host.engine)
        rosters = [(one.name, sorted(one.roster.elements())) for one in self._people]
        return f"rosters {rosters}, nodes {away}, people {people}, files are the same: {quiet}"

    def _judge(self) -> int:
        engine = self._host.engine
        return judge(self._nodes, ROOMS, self._people, engine, self._losses, self._fail)

    def _tell(self, lines: int) -> None:
        tally = self.story.tally
        tally["lines stored"] = lines
        tally["lines shown"] = sum(len(person.shown) for person in self._people)
        tally["node processes"] = sum(node.lives for node in self._nodes)
        tally["engine processes"] = self._host.restarts + 1
        tally["people told of a fork"] = sum(len(person.resets) for person in self._people)
        tally["seconds"] = int(trio.current_time())
        for action in self.story.actions:
            tally[f"action {action.what}"] += 1
        if self._losses.happened:
            tally[
                "worlds whose engine forgot, and could be mended"
            ] += not self._losses.were_unlucky
            tally["worlds whose engine forgot"] += 1

    # What happens.

    async def _say(self, action: Action) -> None:
        self._person(action).say(action.much)

    async def _all_say(self, action: Action) -> None:
        for person in self._people:
            person.say(action.much)

    async def _move(self, action: Action) -> None:
        self._person(action).move()

    async def _say_and_move(self, action: Action) -> None:
        """They do not wait for an answer, and repeat it elsewhere."""
        person = self._person(action)
        person.say(action.much)
        await trio.sleep(self._random.choice((0.0, 0.0005, 0.005)))
        person.move()

    async def _wait(self, action: Action) -> None:
        await trio.sleep(action.seconds)

    async def _kill_node(self, action: Action) -> None:
        node = self._of(action)
        self._trouble(action.seconds + 2.0)
        node.want(False)
        node.kill()
        self._later(action.seconds, lambda: node.want(True))

    async def _stop_node(self, action: Action) -> None:
        self._trouble(3.0)
        self._of(action).stop()

    async def _cut(self, action: Action) -> None:
        self._trouble(1.0)
        self._of(action).machine.path.cut()

    async def _say_and_cut(self, action: Action) -> None:
        """The answer of the engine is lost, or what it was asked."""
        for person in self._people:
            person.say(1)
        await trio.sleep(self._random.choice((0.0003, 0.001, 0.004)))
        for node in self._nodes:
            node.machine.path.cut()
        self._trouble(1.0)

    async def _swallow(self, action: Action) -> None:
        path = self._of(action).machine.path
        self._trouble(max(action.seconds, 5.0) + 1.0)
        path.swallow()
        self._later(action.seconds, path.heal)

    async def _hold(self, action: Action) -> None:
        self._trouble(action.seconds + 1.0)
        self._of(action).machine.path.held_until = trio.current_time() + action.seconds

    async def _lose_pushes(self, action: Action) -> None:
        path = self._of(action).machine.path
        self._trouble(action.seconds + 2.0)
        self._host.lose_pushes(path, self._random.choice((0.3, 1.0)))
        self._later(action.seconds, lambda: self._host.lose_pushes(path, 0.0))

    async def _stall_engine(self, action: Action) -> None:
        if self._host.is_up:
            self._trouble(action.seconds + 2.0)
            self._host.stall()
            self._later(action.seconds, self._host.go_on)

    async def _restart_engine(self, action: Action) -> None:
        """It has all that it acknowledged."""
        await self._restart(self._host.engine.state, action, 0.0)

    async def _fill_engine(self, action: Action) -> None:
        engine = self._host.engine
        self._trouble(action.seconds)
        engine.is_full = True
        self._later(action.seconds, lambda: setattr(engine, "is_full", False))

    async def _forget_scripts(self, action: Action) -> None:
        self._host.engine._known.clear()

    async def _fill_disk(self, action: Action) -> None:
        machine = self._of(action).machine
        fault = Fault("write", self._random.choice((ENOSPC, 0)), action.much)
        machine.faults.append(fault)

    async def _lose_replica(self, action: Action) -> None:
        engine = self._host.engine
        engine.replicas = 0
        self._later(action.seconds, lambda: self._find_replica())

    def _find_replica(self) -> None:
        self._host.engine.replicas = self._settings.replicas

    async def _promote(self, action: Action) -> None:
        """A replica that was behind takes its place: what it lacks was acknowledged all the same.

        Where nodes wait for a replica, it answers that it has all only while it does.
        """
        await self._take_over(action, [])

    async def _part(self, action: Action) -> None:
        """As `_promote`, but some nodes stay with the old one for a while."""
        paths = [node.machine.path for node in self._nodes]
        await self._take_over(action, self._random.sample(paths, len(paths) - 1))

    async def _restart_empty(self, action: Action) -> None:
        if not self._settings.replicas:
            await self._restart(State(), action, 0.0)

    async def _empty(self, action: Action) -> None:
        """`FLUSHALL`: nobody notices until something is asked."""
        if not self._settings.replicas and self._host.is_up:
            self._lose(is_lucky=False)
            self._host.engine.state = State()

    # How.

    async def _restart(self, state: State, action: Action, _: float) -> None:
        await self._wait_well()
        if not self._host.is_up:
            return
        has_lost = state is not self._host.engine.state
        down = min(action.seconds, 3.0)
        if has_lost:
            self._lose(is_lucky=down < 1.0)
        else:
            self._trouble(down + 2.0)
        self._host.kill()
        await trio.sleep(down)
        self._host.start(state)
        self._find_replica()
        self._mended_at = trio.current_time() + _AFTER

    async def _take_over(self, action: Action, staying: Sequence[Path]) -> None:
        host = self._host
        await self._wait_well()
        if not host.is_up or host.is_stalled:
            return
        state = host.engine.state.copy()
        host.engine.replicas = 0
        for _ in range(2):  # what is said now it will lack
            await trio.sleep(min(action.seconds, 2.0) / 2)
            self._person(action).say(1)
        await trio.sleep(0.1)
        if not host.is_up or host.is_stalled:
            self._find_replica()
            return
        self._lose(is_lucky=not staying)
        host.depart(state, staying)
        self._find_replica()
        self._mended_at = trio.current_time() + _AFTER
        for person in self._people:
            person.say(1)
        if self._random.random() < 0.7:  # to a node that may not have the room open
            self._person(action).move()
        if staying:
            for _ in range(self._random.choice((1, 2, 3))):
                await trio.sleep(self._random.choice((0.1, 1.2)))
                for person in self._people:
                    person.say(1)
            host.end_old()

    async def _wait_well(self) -> None:
        """Where nothing else happens, until all nodes are there again."""
        if self._kinds.keys() <= MENDED.keys():
            await trio.sleep_until(max(self._mended_at, _BEFORE + 0.1))

    def _lose(self, *, is_lucky: bool) -> None:
        """The engine forgets."""
        now = trio.current_time()
        is_well = all(
            node.running is not None
            and node.running._storage._nodes is not None
            and node.running._storage._nodes.link.up is not None
            and node.machine.path.is_quick
            for node in self._nodes
        )
        if not (is_lucky and is_well and self._trouble_until + _BEFORE < now):
            self._losses.were_unlucky = True
        if now < self._mended_at:
            self._losses.were_unlucky = True
        self._losses.happened = True
        self._mended_at = now + _AFTER

    def _trouble(self, seconds: float) -> None:
        now = trio.current_time()
        if now < self._mended_at:
            self._losses.were_unlucky = True
        self._trouble_until = max(self._trouble_until, now + seconds)

    def _later(self, seconds: float, do: Callable[[], object]) -> None:
        async def wait() -> None:
            await trio.sleep(seconds)
            if not self._is_over:
                do()

        self._nursery.start_soon(wait)

    def _person(self, action: Action) -> Person:
        return self._people[action.who % len(self._people)]

    def _of(self, action: Action) -> Node:
        return self._nodes[action.who % len(self._nodes)]

    def _note(self, what: str) -> None:
        self.story.events.append(f"{trio.current_time():.6f} {what}")

    def _defect(self, traceback: str) -> None:
        if not is_killed():
            self._fail(traceback)

    def _fail(self, what: str) -> None:
        self._failures.append(what)
        self._note(f"BROKEN: {what}")
        self._scope.cancel()


@contextmanager
def _small(random: Random) -> Iterator[None]:
    """Pages are short and streams are trimmed soon, in some worlds."""
    with ExitStack() as stack:
        if random.random() < 0.7:
            for module, name, number in (
                (archivist, "_KEPT", 12),
                (archivist, "_TRIM", 6),
                (level, "_SEEDED", 8),
                (level, "_ENTRIES", 3),
                (level, "_PAGE", 4),
                (forks, "_ENTRIES", 3),
            ):
                stack.enter_context(patch.object(module, name, number))
        yield
