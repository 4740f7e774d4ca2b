"""A server on a Unix socket: who may connect, whom a connection counts for, what is left behind."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.net.listening import ListenError, listen_for
from edgechat.server import serve
from edgechat.settings import Settings

from .running import Answer, parse_answer, serving
from .wire import SOON, Wire, hello, upgrade


@asynccontextmanager
async def on_a_socket(data: Path, **changes: Any) -> AsyncIterator[Path]:
    """The path of a server's Unix socket, on which alone it listens."""
    path, stop = data.parent / "s.sock", trio.Event()
    settings = Settings(data=data, uds=str(path), **{"linger_timeout": 0.5, **changes})
    async with trio.open_nursery() as nursery:
        assert await nursery.start(serve, settings, stop) == f"unix:{path}"
        yield path
        Wire.close_all()
        stop.set()


async def dial(path: Path, own: Path | None = None) -> Wire:
    """A connection; with `own` its own end has a name, too."""
    plain = socket.socket(socket.AF_UNIX)
    if own is not None:
        plain.bind(str(own))
    plain.setblocking(False)
    connection = trio.socket.from_stdlib_socket(plain)
    await connection.connect(str(path))
    return Wire(trio.SocketStream(connection))


async def ask(path: Path, request: str, *headers: str, body: str = "") -> Answer:
    wire = await dial(path)
    lines = [f"{request} HTTP/1.1", "Host: chat.example.org", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    with trio.fail_after(SOON):
        await wire.send("\r\n".join([*lines, "", body]).encode())
        return parse_answer(await wire.rest())


async def test_all_that_a_port_does(tmp_path: Path) -> None:
    async with on_a_socket(tmp_path / "data") as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert (await ask(path, "GET /")).status == 200
        alice = await dial(path, tmp_path / "alice.sock")
        with trio.fail_after(SOON):
            await alice.send(upgrade("lobby") + hello("alice"))
            assert (await alice.head()).startswith(b"HTTP/1.1 101 ")
            await alice.until("ready")
            posted = await ask(path, "POST /api/room/lobby/messages?name=ci", body="hi")
            assert (await alice.until("message"))["message"] == "hi"
        assert posted.status == 201
        follower = await dial(path)
        with trio.fail_after(SOON):
            await follower.send(b"GET /api/room/lobby/events?since=0 HTTP/1.0\r\n\r\n")
            assert (await follower.head()).startswith(b"HTTP/1.1 200 ")
            while posted.body not in follower._buffer:
                await follower._more()
        found = await ask(path, "GET /api/room/lobby/history?q=hi")
        assert found.body == posted.body + b"\n"
    assert not path.exists()


async def test_a_proxys_clients_are_told_apart(tmp_path: Path) -> None:
    """As on 127.0.0.1: its word is believed if that is a trusted proxy."""
    limits = {"message_interval": 600.0, "message_grace": 0.0}
    async with on_a_socket(tmp_path / "data", trusted_proxies=("127.0.0.1",), **limits) as path:
        statuses = [
            (await ask(path, "POST /api/room/lobby/messages", header, body="hi")).status
            for header in ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2") * 2
        ]
    assert statuses == [201, 201, 429, 429]


async def test_without_trust_the_header_is_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = {"message_interval": 600.0, "message_grace": 0.0}
    async with on_a_socket(tmp_path / "data", **limits) as path:
        statuses = [
            (await ask(path, "POST /api/room/lobby/messages", header, body="hi")).status
            for header in ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2")
        ]
    assert statuses == [201, 429]
    assert "--trusted-proxy 127.0.0.1" in caplog.text


async def test_beside_a_port(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    async with serving(tmp_path / "data", hosts=("127.0.0.1",), uds=str(path)) as server:
        assert (await server.get("/livez")).status == 200
        assert (await ask(path, "GET /livez")).status == 200


async def test_one_that_a_kill_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    command = [sys.executable, "-m", "edgechat", "serve", "--uds", str(path)]
    command += ["--data", str(tmp_path / "data")]
    for how in (signal.SIGKILL, signal.SIGTERM):
        process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        async with process.stdout:
            line = await process.stdout.receive_some()
            assert line.startswith(f"EdgeChat is at unix:{path} with its ".encode())
            assert (await ask(path, "GET /livez")).status == 200
            process.send_signal(how)
            await process.wait()
        assert path.exists() is (how == signal.SIGKILL)


async def test_one_that_listens_is_left_alone(tmp_path: Path) -> None:
    async with on_a_socket(tmp_path / "data") as path:
        other = Settings(data=tmp_path / "other", uds=str(path))
        with pytest.raises(ListenError, match=f"listen on {path}: address already in use"):
            await serve(other, trio.Event())
        assert (await ask(path, "GET /livez")).status == 200


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Path.touch, "there is a file of that name"),
        (Path.mkdir, "there is a file of that name"),
        (lambda path: path.parent.joinpath("s.sock").symlink_to("/dev/null"), "there is a file"),
    ],
)
def test_a_file_is_left_alone(tmp_path: Path, make: Any, said: str) -> None:
    path = tmp_path / "s.sock"
    make(path)
    with pytest.raises(ListenError, match=said):
        listen_for(Settings(uds=str(path)))
    assert path.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="no such file or directory"):
        listen_for(Settings(uds=str(tmp_path / "no" / "s.sock"), hosts=("127.0.0.1",), port=0))


def test_what_it_listens_on(tmp_path: Path) -> None:
    path = str(tmp_path / "s.sock")
    for settings, families in (
        (Settings(port=0), [socket.AF_INET]),
        (Settings(port=0, uds=path), [socket.AF_UNIX]),
        (Settings(port=0, uds=path, hosts=("127.0.0.1",)), [socket.AF_INET, socket.AF_UNIX]),
    ):
        sockets = listen_for(settings)
        assert [one.family for one in sockets] == families
        for one in sockets:
            one.close()
        Path(path).unlink(missing_ok=True)
