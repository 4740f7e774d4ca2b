"""What was said and has no answer yet.

Laws: an entry stays until its line came back or it was refused for good; the same entry is
always sent with the same `id`; entries are sent in the order in which they were said, `window`
at a time, on each connection anew. So the server stores each once, and (with a window of one)
in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from edgechat.chat.errors import REFUSALS
from edgechat.chat.protocol import is_id
from edgechat.client import wire
from edgechat.client.events import Delayed, Message
from edgechat.client.failures import Refused
from edgechat.client.reconnect import Backoff
from edgechat.client.room_options import Options

PASSING = frozenset[str](code for code, rule in REFUSALS.items() if rule.passes)


@dataclass(eq=False, slots=True)
class Outgoing:
    """One message. `answer` is the stored line or the refusal, once there is one."""

    id: str
    text: str
    frame: str
    retry: bool
    is_sent: bool = False
    answer: Message | Refused | None = None


class Unsent:
    """Entries in the order in which they were said. `now` is in seconds of any clock."""

    def __init__(self, options: Options) -> None:
        self._window = options.window
        self._backoff = Backoff(options.backoff_base, options.backoff_cap, options.random)
        self._entries: dict[str, Outgoing] = {}
        self._in_flight = 0
        self._resume_at = -inf  # a passing refusal holds all back, or the order would be lost

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, id: str | None) -> bool:
        return id in self._entries

    def add(self, text: str, id: str, *, retry: bool) -> Outgoing:
        """Raises `ValueError`: not an `id`, an `id` in use, or text with a lone surrogate."""
        if not is_id(id):
            raise ValueError("an id has 1 to 64 printable ASCII characters")
        if id in self._entries:
            raise ValueError(f"{id!r} is being said already")
        entry = Outgoing(id, text, wire.say(text, id), retry)
        self._entries[id] = entry
        return entry

    def due(self, now: float) -> list[str]:
        """The frames to send now; they count as sent."""
        entries: list[Outgoing] = []
        if now < self._resume_at:
            return []
        for entry in self._entries.values():
            if self._in_flight >= self._window:
                break
            if not entry.is_sent:
                self._mark(entry, sent=True)
                entries.append(entry)
        return [entry.frame for entry in entries]

    @property
    def wake_at(self) -> float:
        """When `due` may have something; in the past if it has it now."""
        if self._in_flight >= min(self._window, len(self._entries)):
            return inf
        return self._resume_at

    def connection_lost(self) -> None:
        """What has no answer will be sent again."""
        for entry in self._entries.values():
            self._mark(entry, sent=False)

    def stored(self, line: Message) -> Outgoing | None:
        """A line came: returns the entry that it answers, if one.

        Another's message under the same id is what the server, too, will refuse ours for.
        """
        entry = self._entries.get(line.id or "")
        if entry is None:
            return None
        if line.message != entry.text:
            return self._answered(entry, Refused("id_conflict", "Another message has this id."))
        self._backoff.reset()
        return self._answered(entry, line)

    def refused(self, id: str, refusal: Refused, now: float) -> Outgoing | Delayed:
        """Message `id` was refused: returns its entry if that is the answer, or how long it
        waits until it is said again.
        """
        entry = self._entries[id]
        if refusal.code not in PASSING or not entry.retry:
            return self._answered(entry, refusal)
        wait = self._backoff.delay()
        if refusal.retry_after_ms is not None:
            wait = refusal.retry_after_ms / 1000
        self._resume_at = max(self._resume_at, now + wait)
        self._mark(entry, sent=False)
        return Delayed(id, refusal.code, refusal.text, self._resume_at - now)

    def refuse_longer_than(self, chars: int) -> list[Outgoing]:
        """Answer, as the server would, what it could even close the connection for (1009)."""
        too_long = [entry for entry in self._entries.values() if len(entry.text) > chars]
        return [self._answered(entry, _too_long(entry.text, chars)) for entry in too_long]

    def forget(self, entry: Outgoing) -> None:
        """Do not send it again. It may have been stored."""
        if self._entries.get(entry.id) is entry:  # the id may be in use again
            del self._entries[entry.id]
            self._mark(entry, sent=False)

    def _answered(self, entry: Outgoing, answer: Message | Refused) -> Outgoing:
        entry.answer = answer
        self.forget(entry)
        return entry

    def _mark(self, entry: Outgoing, *, sent: bool) -> None:
        self._in_flight += sent - entry.is_sent
        entry.is_sent = sent


def _too_long(text: str, chars: int) -> Refused:
    words = f"Message too long: {len(text)} characters, at most {chars}."
    return Refused("message_too_long", words)
