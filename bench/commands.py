"""How to start each server: a port and a folder in, a command line out."""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template

from bench.paths import BUN, HERE, NGINX, NGINX_MODULES, PEERS_PYTHON, edgechat_program
from bench.server import MakeCommand

PEERS = HERE / "peers"


def serve(port: int, data: Path, *more: str) -> list[str]:
    """The arguments of EdgeChat: as it comes, but for the limiter, which allows an address one
    message a second.
    """
    place = ("--port", str(port), "--data", str(data / "data"))
    return ["serve", *place, "--message-interval", "0", *more]


def edgechat(port: int, data: Path, *more: str) -> list[str]:
    """EdgeChat."""
    return [edgechat_program(), *serve(port, data, *more)]


def edgechat_disk(port: int, data: Path) -> list[str]:
    """EdgeChat, with every message on the disk before anybody gets it."""
    return edgechat(port, data, "--durability", "disk")


def floor(port: int, data: Path) -> list[str]:
    """The floor needs no library, so it runs anywhere."""
    return [sys.executable, str(PEERS / "floor.py"), str(port), str(data)]


def python_peer(file: str) -> MakeCommand:
    """A peer in bench/.venv."""
    return lambda port, data: [str(PEERS_PYTHON), str(PEERS / file), str(port), str(data)]


def node(port: int, data: Path, *more: str) -> list[str]:
    """The peer on Node."""
    return ["node", str(PEERS / "node_ws.mjs"), str(port), str(data), *more]


def node_sync(port: int, data: Path) -> list[str]:
    """The peer on Node, with an fdatasync before each broadcast."""
    return node(port, data, "--sync")


def bun(port: int, data: Path) -> list[str]:
    """The peer on Bun."""
    return [str(BUN), str(PEERS / "bun_topics.mjs"), str(port), str(data)]


def nchan(port: int, data: Path) -> list[str]:
    """The peer on nginx, with a configuration of its own."""
    template = Template((PEERS / "nchan.conf").read_text())
    filled = template.substitute(modules=NGINX_MODULES, folder=data, port=port)
    (data / "nginx.conf").write_text(filled)
    return [NGINX, "-p", str(data), "-c", str(data / "nginx.conf")]
