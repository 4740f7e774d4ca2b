"""One connection as its client sees it: what comes over it must follow from what was asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from .book import Line, read_line
from .frames import Frames
from .truth import Archive, Truth

_CODES = {"rate_limited", "storage_unavailable", "unavailable", "id_conflict", "empty_message"}
_CODES |= {"message_too_long", "bad_message"}


class Witness:
    """Watches both directions. `told` gets each frame once it was found to be right."""

    def __init__(
        self, truth: Truth, room: str, who: str, told: Callable[[dict[str, Any]], None]
    ) -> None:
        self.roster: Counter[str] = Counter()
        self.members = 0
        self.ready: dict[str, Any] | None = None
        self.received = Frames()
        self._sent = Frames()
        self._truth = truth
        self._room = room
        self._who = who
        self._told = told
        self._hello: dict[str, Any] = {}
        self._top = 0  # the last line that anybody had seen as the hello was sent
        self._had_place = False  # whether its token was in the history as the hello was sent
        self._epoch = 0
        self._ids: set[str] = set()
        self._joining: list[Line] = []
        self._last = 0

    @property
    def v2(self) -> bool:
        return bool(self._hello.get("v"))

    # What the client sends.

    def send(self, data: bytes) -> None:
        for payload in self._sent.feed(data):
            frame = json.loads(payload)
            if "name" in frame:
                self._hello = frame
                self._top = self._archive().top
                self._had_place = self._has_place(self._archive(), frame.get("since"))
                self._epoch = self._truth.epoch
            elif "message" in frame:
                self._truth.sent(frame["message"])
                self._ids.add(frame.get("id"))

    # What it gets.

    def receive(self, data: bytes) -> None:
        for payload in self.received.feed(data):
            frame = json.loads(payload)
            if not self._hello:
                self._fail(f"was told something before its hello: {frame}")
            if "ready" in frame:
                self._is_ready(frame)
            elif "seq" in frame:
                self._line(payload, frame)
            elif "error" in frame:
                self._truth.tally[frame["code"]] += 1
                if frame["code"] not in _CODES:
                    self._fail(f"was refused: {frame}")
            else:
                self._roster_change(frame)
            self._told(frame)

    def _line(self, payload: bytes, frame: dict[str, Any]) -> None:
        if frame.get("kind") == "lost":
            self._fail(f"was told that line {frame['seq']} is lost")
            return
        line = read_line(payload)
        if self.ready is None:
            self._joining.append(line)
        elif line.seq == self._last + 1:
            self._last += 1
        elif line.seq > self._last:
            self._fail(f"got line {line.seq} after line {self._last}")
        elif line.id in self._ids and line.id is not None:
            self._truth.tally["repeat answered"] += 1
        else:
            self._fail(f"got line {line.seq} again, and had not said it")

    def _is_ready(self, ready: dict[str, Any]) -> None:
        if self.ready is not None:
            self._fail("was told twice that it is ready")
        since, recovered = self._hello.get("since"), ready.get("recovered")
        archive = self._archive()
        self._truth.tally[f"recovered {recovered} {ready.get('reason', '')}".strip()] += 1
        knows = self._epoch == self._truth.epoch  # no power loss since: it can be looked up
        if (since is None) != (recovered is None):
            self._fail(f"asked with since={since}, and was told recovered={recovered}")
        if knows and not archive.is_place((ready["seq"], ready["h"])):
            self._fail(f"was told of a head that is not in the history: {ready}")
        if recovered:
            self._is_recovered(archive, since, ready, knows=knows)
        else:
            self._has_backlog(ready)
            if recovered is False and knows:
                self._check_reason(archive, since, ready["reason"])
        self._check_order(ready)
        self._check_members(ready)
        self.ready, self._last = ready, ready["seq"]

    def _is_recovered(
        self, archive: Archive, since: Any, ready: dict[str, Any], *, knows: bool
    ) -> None:
        first = self._joining[0].seq if self._joining else ready["seq"] + 1
        if first != since["seq"] + 1:
            self._fail(f"was to go on after line {since['seq']}, and got {first} first")
        if knows and not archive.is_place((since["seq"], since["h"])):
            self._fail(f"recovered from {since}, which is not in the history")
        if knows and self._top - since["seq"] > self._truth.settings.max_resume:
            self._fail(f"recovered from {since}, which is too far back")

    def _check_reason(self, archive: Archive, since: Any, reason: str) -> None:
        is_place = self._has_place(archive, since)
        behind = archive.book.head[0] - since["seq"]
        right = {
            # What the power took may be said again meanwhile, and make the same line.
            "forked": not (is_place and self._had_place),
            "far": is_place and behind > self._truth.settings.max_resume,
        }
        if not right.get(reason):
            self._fail(f"did not recover from {since}, allegedly {reason}")

    def _has_place(self, archive: Archive, since: Any) -> bool:
        return since is not None and archive.is_place((since["seq"], since["h"]))

    def _has_backlog(self, ready: dict[str, Any]) -> None:
        asked = self._hello.get("backlog", self._truth.settings.backlog)
        least = min(asked, self._top)
        if self._epoch == self._truth.epoch and len(self._joining) < least:
            self._fail(f"got {len(self._joining)} lines of backlog, not {least}")
        if self._joining and self._joining[-1].seq != ready["seq"]:
            self._fail(f"got a backlog up to {self._joining[-1].seq}, not to {ready['seq']}")

    def _check_order(self, ready: dict[str, Any]) -> None:
        seqs = [line.seq for line in self._joining]
        if seqs != list(range(ready["seq"] - len(seqs) + 1, ready["seq"] + 1)):
            self._fail(f"got lines {seqs} before it was ready at {ready['seq']}")
        if seqs and self._joining[-1].h != ready["h"]:
            self._fail("was told of a head that is not its last line")

    # Who is there.

    def _roster_change(self, frame: dict[str, Any]) -> None:
        roster, most = self.roster, 1 if self.v2 else 1_000
        if "roster" in frame:
            self.roster = Counter(frame["roster"])
        if "members" in frame:
            self.members = frame["members"]
        if "joined" in frame:
            roster[frame["joined"]] += 1
            if roster[frame["joined"]] > most:
                self._fail(f"was told twice that {frame['joined']} joined")
        if "quit" in frame:
            if not roster[frame["quit"]]:
                self._fail(f"was told that {frame['quit']} quit, who was not there")
            roster[frame["quit"]] -= 1

    def _check_members(self, ready: dict[str, Any]) -> None:
        self.members = ready["members"]
        here = self.roster.total()
        if here > self.members or (not self.v2 and here != self.members):
            self._fail(f"was told of {here} and of {self.members} members")
        is_crowd = self.v2 and self.members > self._truth.settings.big_room * 0.8
        if not self.roster[self._hello["name"]] and not is_crowd:
            self._fail("was not told of its own joining")

    def _archive(self) -> Archive:
        return self._truth.look(self._room)

    def _fail(self, what: str) -> None:
        self._truth.fail(f"{self._who} in {self._room} {what}")
