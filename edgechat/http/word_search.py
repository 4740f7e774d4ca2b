"""Search in a room's history: the file is scanned, a bounded part of it for each request."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import trio

from edgechat import system
from edgechat.chat.line import Damaged, Entry, parse_line
from edgechat.http import query
from edgechat.http.errors import Wrong
from edgechat.http.query import bad_request
from edgechat.rooms.room import Room
from edgechat.settings import Settings

_MAX_CHARS = 200
_PAGE = 1_000  # lines, and `Settings.page_bytes` at most


class Searches:
    """The searches that are going on: one of an address at a time."""

    def __init__(self) -> None:
        self._going_on: set[str] = set()
        self.threads = trio.CapacityLimiter(1)  # that look at lines

    @contextmanager
    def one_of(self, address: str) -> Iterator[None]:
        """Raises `Wrong` (429) while there is another."""
        if address in self._going_on:
            text = "Another search of this address is going on: try again when it is over."
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", text, {"Retry-After": "1"})
        self._going_on.add(address)
        try:
            yield
        finally:
            self._going_on.remove(address)


@dataclass(slots=True)
class Scan:
    """One request's walk through a room's lines: from line `at`, which it leaves out, to `end`."""

    words: Sequence[str]
    most_lines: int  # of the answer
    most_bytes: int
    at: int
    end: int
    back: bool
    until: float  # by `system.monotonic`: seconds
    found: list[bytes] = field(default_factory=list)  # in the order of the walk
    found_bytes: int = 0
    seen_bytes: int = 0

    @property
    def distance(self) -> int:
        """How many lines are still to be looked at."""
        return self.at - self.end if self.back else self.end - self.at

    @property
    def is_late(self) -> bool:
        """Whether there is no time left."""
        return system.monotonic() >= self.until

    @property
    def is_full(self) -> bool:
        """Whether the answer has as much as it may."""
        return len(self.found) >= self.most_lines or self.found_bytes >= self.most_bytes

    def look_at(self, entries: Sequence[Entry]) -> None:
        """Take entries in the order of the walk, until the answer is full. For a worker thread.

        Or until there is no time left: to compare one message takes 5 ms, if it is all marks.
        """
        for seq, line, _ in entries:
            self.at = seq
            if line is None:
                continue
            self.seen_bytes += len(line)
            if _has(line, self.words):
                self.found.append(line)
                self.found_bytes += len(line)
            if self.is_full or self.is_late:
                return


def read_words() -> Sequence[str] | None:
    """The words of `?q=`, folded; None where it is not there. Raises `Wrong`."""
    text = query.text("q")
    if text is None:
        return None
    words = _fold(text).split()
    if not words or len(text) > _MAX_CHARS:
        raise bad_request(f"q must have a word, and at most {_MAX_CHARS} characters.")
    if query.text("around") is not None:
        raise bad_request("q goes with before or after, and not with around.")
    return words


async def search(
    room: Room,
    words: Sequence[str],
    limit: int,
    settings: Settings,
    threads: trio.CapacityLimiter,
) -> tuple[list[bytes], int | None]:
    """The lines that have all words, oldest first, and where the search goes on, if it does.

    It goes back from `?before=`, or else the head; or on from `?after=`. The room is open. Raises
    `StorageUnavailable`.
    """
    scan = _begin(room, words, limit, settings)
    page = _PAGE
    while scan.distance > 0:
        entries = await _read(room, scan, page)
        if not entries:
            scan.at = scan.end
            break
        page = min(_PAGE, 2 * len(entries))  # what does not fit into a page was read for nothing
        await system.run_in_thread(scan.look_at, entries, limiter=threads)
        if scan.is_full or scan.is_late or scan.seen_bytes >= settings.search_bytes:
            break
    lines = scan.found[::-1] if scan.back else scan.found
    return lines, scan.at if scan.distance > 0 else None


def _begin(room: Room, words: Sequence[str], limit: int, settings: Settings) -> Scan:
    first, head = room.state.base.seq + 1, room.state.last.seq
    after, before = query.number("after"), query.number("before")
    back = after is None
    if after is not None:
        start = max(after, first - 1)
    else:
        start = head + 1 if before is None else min(before, head + 1)
    until = system.monotonic() + settings.search_time
    return Scan(words, limit, settings.page_bytes, start, first if back else head, back, until)


async def _read(room: Room, scan: Scan, most: int) -> Sequence[Entry]:
    """The next entries in the order of the walk."""
    if scan.back:
        return (await room.history.before(scan.at, most))[::-1]
    return await room.history.after(scan.at, most)


def _has(line: bytes, words: Sequence[str]) -> bool:
    try:
        text = _fold(parse_line(line).message)
    except Damaged:
        return False
    return all(word in text for word in words)


def _fold(text: str) -> str:
    """As it is compared: without case, and an accent is one character with its letter."""
    return unicodedata.normalize("NFC", text.casefold())
