"""The servers that can be measured: EdgeChat and its peers, and what each can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import commands, missing
from bench.commands import python_peer
from bench.server import MakeCommand


@dataclass(frozen=True)
class Candidate:
    """A server in the comparison."""

    key: str
    title: str
    command: MakeCommand
    missing: Callable[[], str]
    chat: bool = True  # a roster, a backlog and a history
    names: bool = True  # its members may have any
    ids: bool = False  # its clients send idempotency keys
    resumes: bool = False
    to_disk: bool = False  # a message is on the disk before anybody gets it


CANDIDATES = {
    candidate.key: candidate
    for candidate in (
        Candidate("floor", "raw sockets (the floor)", commands.floor, missing.nothing, chat=False),
        Candidate("edgechat", "EdgeChat", commands.edgechat, missing.edgechat, resumes=True),
        Candidate("edgechat-id", "EdgeChat, with ids", commands.edgechat, missing.edgechat,
                  ids=True),
        Candidate("socketify", "socketify (uWebSockets)", python_peer("socketify_topics.py"),
                  missing.modules("socketify")),
        Candidate("bun", "Bun", commands.bun, missing.bun),
        Candidate("nchan", "nchan on nginx", commands.nchan, missing.nchan,
                  chat=False, names=False),
        Candidate("picows", "picows on uvloop", python_peer("picows_rooms.py"),
                  missing.modules("picows, uvloop")),
        Candidate("node", "Node ws", commands.node, missing.node),
        Candidate("websockets", "websockets broadcast on uvloop",
                  python_peer("websockets_broadcast.py"), missing.modules("websockets, uvloop")),
        Candidate("fastapi", "FastAPI on uvicorn/uvloop", python_peer("fastapi_rooms.py"),
                  missing.modules("fastapi, uvicorn, uvloop")),
        Candidate("edgechat-disk", "EdgeChat, durability disk", commands.edgechat_disk,
                  missing.edgechat, to_disk=True),
        Candidate("sqlite", "picows and SQLite (synchronous=FULL)", python_peer("sqlite_rooms.py"),
                  missing.modules("picows, uvloop, sqlite3"), to_disk=True),
        Candidate("node-sync", "Node ws, fdatasync each", commands.node_sync, missing.node,
                  to_disk=True),
    )
}  # fmt: skip
