"""What the front and its workers tell each other: one packet a message, in MessagePack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgechat.logs import Form
from edgechat.metrics.loop_lag import LoopLagStatistics
from edgechat.metrics.numbers import Numbers
from edgechat.settings import Settings

FORMAT = 2  # of these messages; another one where the same bytes would mean something else
# Of a message: more than any has. A buffer of twice that is new memory for every `recvmsg`: 20 µs.
MOST_BYTES = 64 * 1024
NOBODY = ""  # stands for a connection that counts for no address


# To a worker.


class Begin(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """The first message: all that a worker has to know. `key` signs the ids of private rooms.

    A worker may be newer than its front: `format` says whether they understand each other, and
    settings that one of the two does not know are passed over.
    """

    format: int  # `FORMAT`
    number: int  # of this worker, from 0
    workers: int
    key: bytes
    settings: Settings
    log: Form
    recovers: bool  # nobody else has its rooms, and what was said there may be in the journal only


class Handed(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A connection, whose descriptor comes with this, and its request's head.

    `text` ends with the empty line, `rest` is what came behind it. `counted` is the address whose
    limits it counts for, or `NOBODY`; with `page` it counts among those for the page's files.
    """

    family: int
    peer: str
    counted: str
    text: bytes
    rest: bytes
    page: bool = False


class Granted(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """What addresses have spent in all workers together: when each allowance is full again, in
    seconds of the machine's monotonic clock.
    """

    full_at: Mapping[str, float]


class Yours(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """The worker has its rooms from now on: no other one uses their files."""


class Stop(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """The last message: end in order. No connection comes any more."""


# To the front.


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """The worker serves."""


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=12):
    """It can't; `reason` is for a person."""

    reason: str


class Left(msgspec.Struct, frozen=True, array_like=True, tag=13):
    """So many connections of these addresses have ended; `page`: of those for the page's files."""

    counts: Mapping[str, int]
    page: Mapping[str, int] = {}


class Spent(msgspec.Struct, frozen=True, array_like=True, tag=14):
    """So many messages these addresses have sent since the last word on it; or less than none."""

    counts: Mapping[str, int]


class Figures(msgspec.Struct, frozen=True, array_like=True, tag=15):
    """What it counts; it says so every second, so that its silence means something."""

    numbers: Numbers
    lag: LoopLagStatistics
    works: bool  # whether it can store messages


class Released(msgspec.Struct, frozen=True, array_like=True, tag=16):
    """It was told to stop, and has closed its rooms: another worker may open them."""


ToWorker = Begin | Handed | Granted | Yours | Stop
ToFront = Ready | Failed | Left | Spent | Figures | Released
Message = ToWorker | ToFront

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode  # `str`: of a path


def encode(message: Message) -> bytes:
    """As it is sent."""
    return _encode(message)


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """For `ToWorker` or `ToFront`. `decode` raises `msgspec.DecodeError`."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_make)


def _make(kind: type, value: Any) -> Any:
    """What MessagePack does not have."""
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)
