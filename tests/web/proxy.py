"""A reverse proxy that serves a chat below /chat/, as web servers do. One request a connection."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress

UPGRADE = re.compile(rb"\r\n(Upgrade|Connection): [^\r]*(?=\r\n)", re.IGNORECASE)
CONNECTION = re.compile(rb"\r\nConnection: [^\r]*\r\n", re.IGNORECASE)
HOST = re.compile(rb"\r\nHost: [^\r]*\r\n", re.IGNORECASE)


REFUSED = (
    b"HTTP/1.1 %d Refused\r\nContent-Type: text/html\r\nContent-Length: 13\r\n"
    b"Connection: close\r\n\r\n<p>a proxy</p>"
)


class Proxy:
    """Takes `/chat` off each request's path and passes the bytes on; with another Host, if told."""

    def __init__(self, port: int, host: str | None = None) -> None:
        self.host = host
        self.target = port
        self.status = 0  # answers everything with this status, in words of its own
        self.silent = False  # accepts, and never answers
        self.upgrades = "passed"  # or "refused", "dropped" (asks as if for a page), "unanswered"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/chat/"
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = client.recv(65536)
            if self.silent:
                client.recv(65536)
            if self.status or self.silent:
                client.sendall(REFUSED % self.status)
                return
            if b"\r\nupgrade: websocket" in head.lower() and self.upgrades != "passed":
                if self.upgrades == "unanswered":
                    client.recv(65536)
                if self.upgrades != "dropped":
                    client.sendall(REFUSED % 403)
                    return
                head = UPGRADE.sub(b"", head)
            if (
                b" /chat/" not in head.partition(b"\r\n")[0]
            ):  # nor is there one of a client that left
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                head = head.replace(b" /chat/", b" /", 1)
                if b"\r\nupgrade: websocket" not in head.lower():
                    head = CONNECTION.sub(b"\r\nConnection: close\r\n", head, count=1)
                if self.host:
                    head = HOST.sub(f"\r\nHost: {self.host}\r\n".encode(), head, count=1)
                server.sendall(head)
                back = threading.Thread(target=pump, args=(client, server), daemon=True)
                back.start()
                pump(server, client)
                back.join()

    def stop(self) -> None:
        self.listener.close()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
