"""What a room is doing: which of the two that may drain its mailbox does, and whether it ends."""

from __future__ import annotations

from enum import Enum, auto


class Phase(Enum):
    """A room goes from one phase to another as `NEXT` says, and no other way."""

    OPENING = auto()  # its history is being opened: everybody waits
    RESTING = auto()  # a turn may drain its mailbox
    WORKING = auto()  # a batch is under way, or its task is awake: what is asked gathers
    CLOSING = auto()  # its task takes what is left, and ends: nothing new is taken
    ENDED = auto()


NEXT = {
    Phase.OPENING: {Phase.WORKING, Phase.CLOSING, Phase.ENDED},
    Phase.RESTING: {Phase.WORKING, Phase.CLOSING, Phase.ENDED},
    Phase.WORKING: {Phase.RESTING, Phase.CLOSING, Phase.ENDED},
    Phase.CLOSING: {Phase.ENDED},
    Phase.ENDED: set(),
}
RESTING, WORKING = Phase.RESTING, Phase.WORKING  # read for each message
