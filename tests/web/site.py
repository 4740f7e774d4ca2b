"""Another site: the example pages of docs/examples, with the address of a server in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


class Site:
    """Serves the examples under an origin of its own, and an empty page for all else."""

    def __init__(self) -> None:
        self.chat = ""  # the address that stands for https://chat.example
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = EXAMPLES / Path(self.path).name
                text = page.read_text() if page.is_file() else "<!doctype html><body>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.replace("https://chat.example", pages.chat).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def origin(self) -> str:
        """Another name of this machine: it is another site, not only another port."""
        return f"http://localhost:{self.server.server_port}"


@contextmanager
def another_site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()
