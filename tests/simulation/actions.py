"""What may happen in the world: plain values, so that a list of them tells the whole story."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import cast

CLIENTS = 6
ROOMS = ("a", "b")
ELSEWHERE = ("c", "d", "e")  # where the wanderer goes
CALLS = (
    "write",
    "fsync",
    "write ftruncate",
    "fsync ftruncate",
    "fdatasync",
    "fdatasync ftruncate",
    "open",
    "stat",
    "lseek",
    "pread",
    "unlink",
    "scandir",
)


@dataclass(frozen=True, slots=True)
class Come:
    """A client joins its room."""

    client: int


@dataclass(frozen=True, slots=True)
class Go:
    """A client leaves."""

    client: int


@dataclass(frozen=True, slots=True)
class Say:
    """A client says so many things at once."""

    client: int
    count: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A client sends again what was stored long ago."""

    client: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A client sends something else with an id that it used before."""

    client: int


@dataclass(frozen=True, slots=True)
class Type:
    """A client types."""

    client: int


@dataclass(frozen=True, slots=True)
class Visit:
    """The wanderer goes to another room, and says something there."""

    room: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A client's connection breaks; each side notices within so many seconds."""

    client: int
    notice: float


@dataclass(frozen=True, slots=True)
class Swallow:
    """A client's connection delivers nothing any more, and nobody is told."""

    client: int


@dataclass(frozen=True, slots=True)
class Stall:
    """A client stops reading, or goes on."""

    client: int
    stalled: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """The server is stopped in order, and started again."""


@dataclass(frozen=True, slots=True)
class Crash:
    """`kill -9`: at once (0), or in the middle of the n-th system call."""

    calls: int


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """The plug is pulled: at once (0), or in the middle of the n-th system call."""

    calls: int


@dataclass(frozen=True, slots=True)
class Fail:
    """The next calls of a kind, or of two, fail; `times` -1: until `Heal`.

    `error` 0 is a short write; where nothing is written, it is EIO.
    """

    call: int
    error: int
    times: int


@dataclass(frozen=True, slots=True)
class Heal:
    """The disk is well again."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock jumps."""

    ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Time goes on."""

    seconds: float


Action = (
    Come
    | Go
    | Say
    | Repeat
    | Conflict
    | Type
    | Visit
    | Cut
    | Swallow
    | Stall
    | Restart
    | Crash
    | PowerLoss
    | Fail
    | Heal
    | Jump
    | Wait
)
PAUSES = (0.0, 0.002, 0.05, 0.5, 3.0, 12.0)
NOTICES = (0.0, 0.2, 10.0)
ERRORS = (0, 5, 28)  # a short write, EIO, ENOSPC
TIMES = (1, 2, -1)
JUMPS = (-3_600_000, -5, 5_000)

_WEIGHTS = {
    Say: 10,
    Wait: 5,
    Cut: 4,
    Come: 3,
    Go: 2,
    Repeat: 3,
    Conflict: 1,
    Type: 1,
    Visit: 2,
    Swallow: 1,
    Stall: 1,
    Restart: 1,
    Crash: 2,
    PowerLoss: 2,
    Fail: 3,
    Heal: 2,
    Jump: 1,
}


def invent(random: Random) -> Action:
    """Any action, those that make things happen more often."""
    kind = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    client = random.randrange(CLIENTS)
    match kind.__name__:
        case "Say":
            return Say(client, random.choice((1, 1, 3, 12)))
        case "Cut":
            return Cut(client, random.choice(NOTICES))
        case "Stall":
            return Stall(client, random.random() < 0.7)
        case "Visit":
            return Visit(random.randrange(len(ELSEWHERE)))
        case "Crash" | "PowerLoss":
            calls = random.choice((0, random.randint(0, 40)))
            return Crash(calls) if kind is Crash else PowerLoss(calls)
        case "Fail":
            call = random.choice((0, 1, 2, random.randrange(len(CALLS))))
            return Fail(call, random.choice(ERRORS), random.choice(TIMES))
        case "Jump":
            return Jump(random.choice(JUMPS))
        case "Wait":
            return Wait(random.choice(PAUSES))
        case "Restart":
            return Restart()
        case "Heal":
            return Heal()
        case _:
            return cast(Action, kind(client))
