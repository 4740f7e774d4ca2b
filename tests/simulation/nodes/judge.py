"""What must be so when all is quiet: on every node's disk, in the engine, and for every person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgechat.chat.names import RoomKey
from edgechat.nodes.keys import keys_of
from tests.serving.files import chain

from .engine import Engine
from .node import Node
from .person import Person, Place


@dataclass(slots=True)
class Losses:
    """What the engine itself has forgotten, and whether nodes could give it back."""

    happened: bool = False
    were_unlucky: bool = False  # a node that knew more was away, or had too little time
    by_replica: bool = False  # what it forgot nobody was shown: nodes wait for a replica


def is_quiet(nodes: Sequence[Node], rooms: Sequence[str], engine: Engine) -> bool:
    """Whether all nodes have the same files, and these are all that the engine has."""
    for room in rooms:
        files = {_file(node, room) for node in nodes}
        if len(files) > 1:
            return False
        head = engine.state.hashes.get(keys_of(RoomKey(room, private=False)).meta.encode())
        (file,) = files
        if (head is None) != (not file):
            return False
        if head is not None and not file.endswith(b',"h":"%b"}\n' % head[b"h"]):
            return False
    return True


def judge(
    nodes: Sequence[Node],
    rooms: Sequence[str],
    people: Sequence[Person],
    engine: Engine,
    losses: Losses,
    fail: Callable[[str], None],
) -> int:
    """Compare everything; returns how many lines there are."""
    count = 0
    forked = {node.name: dict(_forked(node)) for node in nodes}
    may_fork = losses.happened and (losses.were_unlucky or losses.by_replica)
    if any(forked.values()) and not may_fork:
        fail(f"lines were put aside, and the engine had lost none: {forked}")
    for room in rooms:
        files = {node.name: _file(node, room) for node in nodes}
        if len(set(files.values())) > 1:
            fail(f"the files of {room} differ: { {name: len(f) for name, f in files.items()} }")
        file = files[nodes[0].name]
        lines = list(_lines(file, fail))
        count += len(lines)
        _compare_stream(room, file, engine, fail)
        places = [place for place, _ in lines]
        where: dict[str, Place] = {}
        for place, id in lines:
            if id in where:
                fail(f"{id} is stored as {where[id]} and {place}")
            if id is not None:
                where[id] = place
        for person in people:
            if person.room == room:
                _compare_person(person, places, where, losses, nodes, forked, fail)
    return count


def _compare_person(
    person: Person,
    places: list[Place],
    where: dict[str, Place],
    losses: Losses,
    nodes: Sequence[Node],
    forked: dict[str, dict[str, Place]],
    fail: Callable[[str], None],
) -> None:
    may_lose = losses.happened and losses.were_unlucky and not losses.by_replica
    if set(person.resets) - {"forked"} or (person.resets and not may_lose):
        fail(f"{person.name} could not resume: {person.resets}")
    if person.shown:
        first = person.shown[0].seq
        if person.shown != places[first - 1 :]:
            fail(f"{person.name} was shown {person.shown}, and there is {places[first - 1 :]}")
    if both := person.refused & where.keys():
        fail(f"{sorted(both)} are stored, and {person.name} was refused")
    for id, place in person.acked.items():
        if where.get(id) == place:
            continue
        if not may_lose:
            fail(f"{id} was acknowledged as {place}, and is {where.get(id)}")
        if not person.resets:
            fail(f"{id} was lost, and {person.name} was not told")
        name, process = person.acked_at[id]
        lives_on = next(node for node in nodes if node.name == name).process == process
        if lives_on and forked[name].get(id) != place:
            fail(f"{id} was lost, and {name}, which had it, put nothing aside")


def _compare_stream(room: str, file: bytes, engine: Engine, fail: Callable[[str], None]) -> None:
    """What the engine still has of it is the end of the file."""
    stream = engine.state.streams.get(keys_of(RoomKey(room, private=False)).stream.encode())
    if stream is not None:
        text = b"".join(data for _, data in stream.entries)
        if not file.endswith(text):
            fail(f"the stream of {room} is not the end of its file")


def _lines(file: bytes, fail: Callable[[str], None]) -> Iterator[tuple[Place, str | None]]:
    if not file:
        return
    first, *lines = file.splitlines()
    h, stamp = json.loads(first)["base"]["h"], 0
    for seq, line in enumerate(lines, 1):
        found = json.loads(line)
        h = chain(h, line)
        if (found["seq"], found["h"]) != (seq, h) or found["timestamp"] <= stamp:
            fail(f"line {seq} does not go on from the one before it: {line!r}")
        stamp = found["timestamp"]
        yield Place(seq, h), found.get("id")


def _forked(node: Node) -> Iterator[tuple[str, Place]]:
    for path, inode in node.machine.disk.names.items():
        if ".forked-" in path:
            for line in bytes(inode.content).splitlines():
                found = json.loads(line)
                if found.get("id"):
                    yield found["id"], Place(found["seq"], found["h"])


def _file(node: Node, room: str) -> bytes:
    return node.machine.disk.content(f"{node.settings.data}/rooms/public/{room}.jsonl")
