"""What a room is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from edgechat.chat.protocol import Say
from edgechat.chat.session import Session

Reason = Literal["forked", "trimmed", "far"]


class Speak(msgspec.Struct, frozen=True, gc=False):
    """Somebody says something. A session that is not a member gets a reply (`Outcome.replies`)."""

    session: Session
    say: Say


class Type(msgspec.Struct, frozen=True, gc=False):
    """Somebody types."""

    session: Session


class Leave(msgspec.Struct, frozen=True, gc=False):
    """A member is gone."""

    session: Session


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody comes, and wants every line after `after`.

    `recovered` is None for one who did not ask to resume; `reason` says why one who did can't.
    `told` are the names that the session was told of already, while it was catching up.
    """

    session: Session
    after: int
    recovered: bool | None = None
    reason: Reason | None = None
    told: tuple[str, ...] | None = None


Command = Speak | Type | Leave | Join
