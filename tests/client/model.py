"""A server in forty lines, over links that are cut at any place, for the property test."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from .lines import h_of, line, ready, refusal

FAR = 6  # lines: small, so that it happens


class Link:
    """One connection: what is under way in each direction. Cut, both are lost."""

    def __init__(self) -> None:
        self.up: deque[str] = deque()
        self.down: deque[str] = deque()
        self.joined = False


class Server:
    """Stores each id once; resumes, or says that it can't."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ids: dict[str, int] = {}
        self.refuse_next: str | None = None

    def store(self, text: str, id: str | None = None, name: str = "bob") -> str:
        self.lines.append(line(len(self.lines) + 1, text, name, id))
        if id is not None:
            self.ids[id] = len(self.lines)
        return self.lines[-1]

    def handle(self, link: Link) -> None:
        frame = json.loads(link.up.popleft())
        if "name" in frame:
            link.joined = True
            link.down.extend(self._join(frame))
        elif "ping" in frame:
            link.down.append(json.dumps({"pong": frame["ping"]}))
        else:
            link.down.append(self._say(frame["message"], frame["id"]))

    def _join(self, hello: dict[str, Any]) -> list[str]:
        head, since = len(self.lines), hello.get("since")
        if since is None:
            return [*self.lines[-hello["backlog"] :], self._ready(None)]
        assert since["h"] == h_of(since["seq"])
        if head - since["seq"] > FAR:
            return [*self.lines[-2:], self._ready(False, reason="far")]
        return [*self.lines[since["seq"] :], self._ready(True)]

    def _ready(self, recovered: bool | None, **more: str) -> str:
        return ready(len(self.lines), recovered, **more)

    def _say(self, text: str, id: str) -> str:
        if id in self.ids:
            return self.lines[self.ids[id] - 1]
        code, self.refuse_next = self.refuse_next, None
        return refusal(code, id=id) if code else self.store(text, id, "alice")
