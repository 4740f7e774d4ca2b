"""People who talk a lot: a plain socket that fills a room with messages."""

from __future__ import annotations

import json

from websockets.sync.client import connect

from .server import Server


def fill(server: Server, room: str, texts: list[str], name: str = "ada") -> None:
    """Say all of it, and come back when the last line is stored."""
    address = f"ws://127.0.0.1:{server.port}/api/room/{room}/websocket"
    with connect(address, max_queue=None, compression=None) as socket:
        socket.send(json.dumps({"name": name, "v": 2, "backlog": 0}))
        while "ready" not in json.loads(socket.recv(timeout=60)):
            pass
        for start in range(0, len(texts), 100):
            batch = texts[start : start + 100]
            for text in batch:
                socket.send(json.dumps({"message": text}))
            heard = 0
            while heard < len(batch):
                heard += "message" in json.loads(socket.recv(timeout=60))
