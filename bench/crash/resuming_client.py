"""A client that keeps what it received: it resumes, resends what was not acknowledged, and records
every breach of the promises of delivery.
"""

from __future__ import annotations

import json
from typing import Any

from bench.load.frames import hello, split, text_frame
from bench.load.member import Member, Stage

NOTHING_SEEN = (0, "0" * 16)
WINDOW = 3


class ResumingClient:
    """One client over many connections. `seen` is every (seq, h), from the room's first.

    An eager client resends right after its hello, before it can know what was stored, so that the
    server has to recognise the ids; another waits for `ready`, as clients should.
    """

    def __init__(self, name: str, room: str, *, eager: bool) -> None:
        self.name, self.room, self.eager = name, room, eager
        self.seen: list[tuple[int, str]] = []
        self.outbox: dict[str, bytes] = {}  # frames by id, until the line comes back
        self.acknowledged: set[str] = set()
        self.breaches: list[str] = []
        self.sent = self.resent = self.repeats = self.recoveries = self.refused = 0
        self.sending = True
        self.member = self._newcomer()

    def _newcomer(self) -> Member:
        seq, h = self.seen[-1] if self.seen else NOTHING_SEEN
        self._stream, self.ready = b"", False
        self._resent_now: set[str] = set()
        return Member(self.room, hello(self.name, v=2, since={"seq": seq, "h": h}))

    def reconnect(self) -> Member:
        """A new connection, with the token of the last line seen."""
        self.member.socket.close()
        self.member = self._newcomer()
        return self.member

    def receive(self, data: bytes) -> None:
        """Whatever came in."""
        if self.member.stage is Stage.UPGRADING:
            rest = self.member.upgraded(data)
            if rest is None:
                return
            data = rest
            if self.eager:
                self._resend()
        payloads, self._stream = split(self._stream + data)
        for payload in payloads:
            self._event(json.loads(payload))
        if self.ready and self.sending:
            self._send_more()

    def _event(self, event: dict[str, Any]) -> None:
        if "message" in event:
            self._line(event)
        elif "ready" in event:
            self._welcome(event)
        elif event.get("code") == "storage_unavailable":
            self.refused += 1  # the disk is gone; it stays in the outbox
        elif "error" in event:
            self.breaches.append(f"error: {event}")

    def _welcome(self, event: dict[str, Any]) -> None:
        head = self.seen[-1] if self.seen else NOTHING_SEEN
        self.ready = True
        if event.get("recovered") is not True:
            self.breaches.append(f"not recovered from {head}: {event}")
        else:
            self.recoveries += 1
        if self.seen and (event["seq"], event["h"]) != head:
            self.breaches.append(f"ready at {event['seq']} with {head} seen")
        if not self.eager:
            self._resend()

    def _resend(self) -> None:
        self.resent += len(self.outbox)
        self._resent_now = set(self.outbox)
        self._send(b"".join(self.outbox.values()))

    def _line(self, event: dict[str, Any]) -> None:
        token, own = (event["seq"], event["h"]), event.get("id", "")
        expected = len(self.seen) + 1
        if token[0] == expected:
            self.seen.append(token)
        elif token[0] > expected:
            self.breaches.append(f"gap: {token} where {expected} was due")
        elif own in self._resent_now and self.seen[token[0] - 1] == token:
            self.repeats += 1  # the answer to a resend: the stored line, to its sender only
        else:
            self.breaches.append(f"twice, or another: {token}, {expected} was due")
        if self.outbox.pop(own, None) is not None:
            self.acknowledged.add(own)

    def _send_more(self) -> None:
        while len(self.outbox) < WINDOW:
            self.sent += 1
            key = f"{self.name}-{self.sent}"
            text = json.dumps({"message": f"message {key}", "id": key}, separators=(",", ":"))
            self.outbox[key] = text_frame(text.encode())
            self._send(self.outbox[key])

    def _send(self, frames: bytes) -> None:
        try:
            if frames and self.member.socket.send(frames) != len(frames):
                self.breaches.append("the server no longer reads")
        except (BrokenPipeError, ConnectionError):
            return  # it was killed: what is in the outbox goes again
