"""What may happen in a world of nodes: an action is its name, and numbers that say how."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

SECONDS = (0.05, 0.5, 3.0, 7.0)  # that a trouble lasts
PAUSES = (0.0, 0.02, 0.3, 1.0, 2.5)

# How often each is chosen.
_QUIET = {"say": 12, "all_say": 4, "move": 2, "say_and_move": 2, "wait": 6}
_TROUBLES = {
    "kill_node": 3,
    "stop_node": 1,
    "cut": 2,
    "say_and_cut": 3,
    "swallow": 2,
    "hold": 2,
    "lose_pushes": 2,
    "stall_engine": 2,
    "restart_engine": 2,
    "fill_engine": 1,
    "forget_scripts": 1,
    "fill_disk": 1,
    "lose_replica": 1,
}
_LOSSES = {"promote": 3, "part": 1, "restart_empty": 1, "empty": 1}
MENDED = {**_QUIET, "promote": 3, "restart_empty": 1}  # where nodes can give back all

KINDS = (  # a world is of one
    {**_QUIET, **_TROUBLES},
    {**_QUIET, **_TROUBLES, **_LOSSES},
    MENDED,
)


class Action(NamedTuple):
    """`who` is taken modulo how many there are."""

    what: str
    who: int
    seconds: float
    much: int
    pause: float  # before the next


def invent(random: Random, kinds: Mapping[str, int]) -> Action:
    """Any action; `kinds` says how often each is chosen."""
    (what,) = random.choices(list(kinds), list(kinds.values()))
    return Action(
        what,
        random.randrange(12),
        random.choice(SECONDS),
        random.choice((1, 1, 3, 10)),
        random.choice(PAUSES),
    )
