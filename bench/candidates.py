"""The servers that can be measured: EdgeChat and its peers, how to start each, and what it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS_PYTHON = HERE / ".venv/bin/python"


def edgechat_program() -> str:
    """The program under test: $EDGECHAT_PROGRAM, or the one of the main environment."""
    return os.environ.get("EDGECHAT_PROGRAM", str(ROOT / ".venv/bin/edgechat"))


def edgechat(port: int, data: Path, *more: str) -> list[str]:
    """EdgeChat as it comes, but for the limiter: with it on, one address says a line a second."""
    place = ["--port", str(port), "--data", str(data / "data")]
    return [edgechat_program(), "serve", *place, "--message-interval", "0", *more]


def python_peer(file: str) -> Callable[[int, Path], list[str]]:
    """A peer in bench/.venv."""
    return lambda port, data: [str(PEERS_PYTHON), str(HERE / "peers" / file), str(port), str(data)]


def floor(port: int, data: Path) -> list[str]:
    """The floor needs no library, so it runs anywhere."""
    return [sys.executable, str(HERE / "peers/floor.py"), str(port), str(data)]


def node_peer(port: int, data: Path) -> list[str]:
    """The peer on Node."""
    return ["node", str(HERE / "peers/node_ws.mjs"), str(port), str(data)]


def has_module(module: str) -> Callable[[], str]:
    """A check that bench/.venv has a module; it says what is missing."""

    def check() -> str:
        if not PEERS_PYTHON.exists():
            return "bench/.venv is not there (make bench sets it up)"
        found = subprocess.run([PEERS_PYTHON, "-c", f"import {module}"], capture_output=True)
        return "" if found.returncode == 0 else f"bench/.venv has no {module} that imports"

    return check


def has_node() -> str:
    """Whether Node and ws are there; says what is missing."""
    if not shutil.which("node"):
        return "no node on this machine"
    return "" if (HERE / "node_modules/ws").exists() else "bench/node_modules has no ws"


def has_edgechat() -> str:
    """Whether there is an EdgeChat to measure."""
    program = edgechat_program()
    return "" if shutil.which(program) else f"{program} is not there"


@dataclass(frozen=True)
class Candidate:
    """A server in the comparison."""

    key: str
    title: str
    command: Callable[[int, Path], list[str]]
    missing: Callable[[], str]
    chat: bool = True  # a roster, a backlog and a history; the floor has none
    ids: bool = False  # its clients send idempotency keys
    resumes: bool = False


CANDIDATES = {
    candidate.key: candidate
    for candidate in (
        Candidate("floor", "raw sockets (the floor)", floor, str, chat=False),
        Candidate("edgechat", "EdgeChat", edgechat, has_edgechat, resumes=True),
        Candidate("edgechat-id", "EdgeChat, with ids", edgechat, has_edgechat, ids=True),
        Candidate("socketify", "socketify (uWebSockets)", python_peer("socketify_topics.py"),
                  has_module("socketify")),
        Candidate("picows", "picows on uvloop", python_peer("picows_rooms.py"),
                  has_module("picows")),
        Candidate("node", "Node ws", node_peer, has_node),
        Candidate("websockets", "websockets broadcast on uvloop",
                  python_peer("websockets_broadcast.py"), has_module("websockets, uvloop")),
        Candidate("fastapi", "FastAPI on uvicorn/uvloop", python_peer("fastapi_rooms.py"),
                  has_module("fastapi, uvicorn, uvloop")),
    )
}  # fmt: skip
