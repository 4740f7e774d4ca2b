"""The engine's keys, all under `ec:{0}:`. A room is known there by its kind and its name.

The part in braces is what a cluster would place keys by: a script's keys lie together.
"""

from __future__ import annotations

from typing import NamedTuple

from edgechat.chat.names import RoomKey

_PREFIX = "ec:{0}:"

FORMAT = f"{_PREFIX}format"  # the number of this layout
PRIVATE_KEY = f"{_PREFIX}key"  # that signs the ids of private rooms, one for all nodes
MARK = f"{_PREFIX}mark"  # another one whenever the engine was emptied
TOUCHED = f"{_PREFIX}touched"  # sorted set: room -> tick of the last change
CLOCK = f"{_PREFIX}clock"  # the last tick
NODES = f"{_PREFIX}nodes"  # sorted set: a node's boot id -> when it beat last
WAITS = f"{_PREFIX}waits"  # channel that nobody hears: a node waits for replicas
ASK = f"{_PREFIX}ask"  # channel: a node wants lines that the engine has let go of


def limit_of(address: str) -> str:
    """When that address's allowance is full again, in microseconds; gone when it is."""
    return f"{_PREFIX}limit:{address}"


def answers_to(boot: str) -> str:
    """The channel on which one node is answered."""
    return f"{_PREFIX}to:{boot}"


class RoomKeys(NamedTuple):
    """Where one room is."""

    room: str
    meta: str  # hash: seq, h, header
    stream: str  # an entry for each batch, its id is the last line's seq; one field, the lines
    channel: str  # what is said, as it is said; and who comes, goes and types
    roster: str  # hash: a node's boot id -> who is there on that node
    for_scripts: tuple[bytes, ...]  # the keys of `APPEND` and `SEED`


def keys_of(key: RoomKey) -> RoomKeys:
    """Where that room is. A private room's id is in it: not for a log."""
    room = f"{'x' if key.private else 'r'}:{key.name}"
    meta, stream, channel, roster = (f"{_PREFIX}{kind}:{room}" for kind in "mscn")
    for_scripts = tuple(key.encode() for key in (meta, stream, TOUCHED, CLOCK))
    return RoomKeys(room, meta, stream, channel, roster, for_scripts)


def room_of(room: bytes) -> RoomKey:
    """The inverse of `keys_of(...).room`."""
    kind, _, name = room.decode().partition(":")
    return RoomKey(name, private=kind == "x")
