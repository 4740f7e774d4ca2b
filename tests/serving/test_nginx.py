"""The recipe for nginx in `docs/operations.md`, in a real nginx."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.http.following import follow
from tests.serving.ports import free_ports
from tests.serving.running import Running, exchange, serving
from tests.serving.wire import BEGUN, SOON, Wire, dial, hello, join

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is missing")


def recipe() -> str:
    text = (ROOT / "docs" / "operations.md").read_text()
    (block,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    return str(block)


def configure(folder: Path, port: int, behind: int | Path) -> Path:
    """A file with the recipe, without TLS, and with paths and ports of this test.

    `behind` is the server's port, or its Unix socket.
    """
    folder.mkdir()
    server = re.sub(r"^ *(listen|server_name|ssl_\w+) .*\n", "", recipe(), flags=re.MULTILINE)
    assert server.count("127.0.0.1:8080") == 2
    if isinstance(behind, Path):
        server = server.replace("http://127.0.0.1:8080/;", f"http://unix:{behind}:/;")
        server = server.replace("http://127.0.0.1:8080;", f"http://unix:{behind};")
    else:
        server = server.replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    server = server.replace("server {", f"server {{\n    listen 127.0.0.1:{port};", 1)
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr notice;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}\n{server}\n}}\n"
    )
    return file


@asynccontextmanager
async def nginx(folder: Path, behind: int | Path, upstream: str = "") -> AsyncIterator[int]:
    """Its port, once it listens there. It keeps connections to an `upstream`, if there is one."""
    port = free_ports()
    file = configure(folder, port, behind)
    if upstream:
        text = file.read_text().replace("map ", f"{upstream}\nmap ", 1)
        text = text.replace("''      close;", "''      '';").replace(
            f"//127.0.0.1:{behind}", "//chat"
        )
        file.write_text(text)
    command = [str(NGINX), "-p", str(folder), "-e", "stderr", "-c", str(file)]
    process = await trio.lowlevel.open_process(command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        said = b""
        with trio.fail_after(BEGUN):
            while b" nginx/" not in said:  # its version, which it says when it has its sockets
                more = await process.stderr.receive_some()
                assert more, said.decode()
                said += more
        yield port
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stderr.aclose()


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[tuple[Running, int]]:
    """A server, and the port of an nginx before it."""
    async with (
        serving(tmp_path / "data", trusted_proxies=("127.0.0.1",)) as server,
        nginx(tmp_path / "nginx", server.port) as port,
    ):
        yield server, port


async def enter(port: int, path: str, origin: str) -> tuple[Wire, bytes]:
    """A browser's handshake, and the first line of the answer."""
    wire = await dial(port)
    lines = [
        f"GET {path}api/room/lobby/websocket HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: {origin}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    await wire.send("\r\n".join([*lines, "", ""]).encode())
    return wire, (await wire.head()).split(b"\r\n")[0]


@pytest.mark.parametrize("path", ["/", "/chat/"])
async def test_a_browser_talks_through_nginx(proxied: tuple[Running, int], path: str) -> None:
    _, port = proxied
    with trio.fail_after(SOON):
        alice, answer = await enter(port, path, f"http://127.0.0.1:{port}")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        await alice.send(hello("alice"))
        await alice.until("ready")
        await alice.say("through nginx")
        assert (await alice.until("message"))["message"] == "through nginx"
        _, refused = await enter(port, path, "http://elsewhere.example")
        assert refused.startswith(b"HTTP/1.1 403 "), refused


@pytest.mark.parametrize("path", ["/", "/chat/"])
async def test_the_page_comes_through_nginx(proxied: tuple[Running, int], path: str) -> None:
    server, port = proxied
    for target in ("", "room/caf%C3%A9", "api/room/caf%C3%A9"):
        request = (
            f"GET {path}{target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )
        answer = await exchange(port, request.encode())
        plain = await server.get(f"/{target}")
        assert (answer.status, answer.body) == (200, plain.body), target


@pytest.mark.parametrize("path", ["/", "/chat/"])
async def test_a_follower_misses_nothing_through_nginx(
    proxied: tuple[Running, int], path: str
) -> None:
    server, port = proxied
    with trio.fail_after(SOON):
        alice = await join(server.port, "alice")
        # nginx would send chunks to a client of HTTP/1.1.
        follower = await follow(server, port=port, path=path, version="1.0")
        got = []
        for number in range(1, 21):
            await alice.say(f"{number}")
            if number % 2:
                got += await follower.lines(number)  # and the next one is missed
                follower.close()
                last = f"Last-Event-ID: {follower.id}"
                await alice.until("seq", number)
                await alice.say("meanwhile")
                follower = await follow(server, "", last, port=port, path=path, version="1.0")
        got += await follower.lines(30)
        assert got == server.lines()


async def test_connections_that_nginx_keeps(tmp_path: Path) -> None:
    """With `keepalive`, what one client asks goes out on the connection of another."""
    async with serving(tmp_path / "data", trusted_proxies=("127.0.0.1",)) as server:
        upstream = f"upstream chat {{ server 127.0.0.1:{server.port}; keepalive 2; }}"
        async with nginx(tmp_path / "nginx", server.port, upstream) as port:
            with trio.fail_after(2 * SOON):
                alice, _ = await enter(port, "/chat/", f"http://127.0.0.1:{port}")
                await alice.send(hello("alice"))
                await alice.until("ready")
                for number in range(1, 31):
                    await say(port, f"{number}")
                    assert (await exchange(port, LOOK)).body == b"alive"
                    if number % 10 == 0:
                        bob, answer = await enter(port, "/", f"http://127.0.0.1:{port}")
                        assert answer.startswith(b"HTTP/1.1 101 ")
                        bob.close()
                heard = [await alice.until("message", f"{number}") for number in range(1, 31)]
        assert [line["seq"] for line in heard] == list(range(1, 31))
        assert len(server.lines()) == 30


LOOK = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def say(port: int, text: str) -> None:
    head = f"POST /chat/api/room/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    head += f"Connection: close\r\nContent-Length: {len(text)}\r\n\r\n"
    assert (await exchange(port, (head + text).encode())).status == 201


@pytest.mark.parametrize("path", ["/", "/chat/"])
async def test_a_unix_socket_behind_nginx(tmp_path: Path, path: str) -> None:
    uds = tmp_path / "s.sock"
    changes = {"hosts": ("127.0.0.1",), "uds": str(uds), "trusted_proxies": ("127.0.0.1",)}
    async with (
        serving(tmp_path / "data", **changes) as server,
        nginx(tmp_path / "nginx", uds) as port,
    ):
        with trio.fail_after(SOON):
            alice, answer = await enter(port, path, f"http://127.0.0.1:{port}")
            assert answer.startswith(b"HTTP/1.1 101 "), answer
            await alice.send(hello("alice"))
            await alice.until("ready")
            await alice.say("through a socket")
            assert (await alice.until("message"))["message"] == "through a socket"
        request = f"GET {path}room/caf%C3%A9 HTTP/1.0\r\nHost: localhost\r\n\r\n"
        page = await exchange(port, request.encode())
        assert (page.status, page.body) == (200, (await server.get("/room/caf%C3%A9")).body)


def test_the_document_says_so_for_a_unix_socket() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for target in ("http://unix:/run/edgechat/edgechat.sock;", "/edgechat.sock:/;"):
        assert target in text
