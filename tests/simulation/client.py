"""What both kinds of client have: a place in the world, and a way to a room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from .network import Link
from .stream import ClientStream
from .truth import Said, Truth
from .witness import Witness

Dial = Callable[["Client", str], Link]  # raises `OSError` where no server listens


class Client(Protocol):
    """One person's program."""

    name: str
    room: str
    online: bool  # whether it wants to be
    link: Link | None  # the newest connection
    stored: list[Said]  # what it said and knows to be stored
    v2: bool
    has_ids: bool  # whether it gives its messages one

    async def run(self) -> None:
        """For as long as the world goes on."""

    def come(self) -> None:
        """Join the room, and stay in it."""

    def go(self) -> None:
        """Leave it."""

    def say(self, said: Said) -> None:
        """Say something, as soon as that is possible."""

    @property
    def is_settled(self) -> bool:
        """Whether it is in the room, if it wants to be, and has an answer to all it said."""

    @property
    def roster(self) -> Counter[str]:
        """Who it takes to be there."""

    @property
    def members(self) -> int:
        """How many sessions it was last told of."""


def connect(
    dial: Dial, client: Client, truth: Truth, told: Callable[[dict[str, Any]], None]
) -> tuple[ClientStream, Witness]:
    """A new connection, watched. Raises `OSError`."""
    link = client.link = dial(client, client.room)
    witness = Witness(truth, client.room, f"{client.name} (connection {link.number})", told)
    return ClientStream(link, witness.send, witness.receive), witness
