"""Webhooks of a real server, to a target on a real socket."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import ssl
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.webhooks.files import load_secret
from edgechat.webhooks.signing import BadSecret, write_secret
from tests.cli.test_cli import run
from tests.webhooks.target import SECRET, FakeTarget

from .running import Running, eventually, program, serving


@asynccontextmanager
async def a_target(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[FakeTarget, int]]:
    """A target, and its port on 127.0.0.1."""
    async with trio.open_nursery() as nursery:
        target = FakeTarget(nursery)
        if context is None:
            serve: Any = partial(trio.serve_tcp, target.serve, 0, host="127.0.0.1")
        else:
            serve = partial(trio.serve_ssl_over_tcp, target.serve, 0, context, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        tcp = listener if context is None else listener.transport_listener
        yield target, tcp.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def post(server: Running, text: str, room: str = "ops") -> None:
    answer = await server.ask("POST", f"/api/room/{room}/messages?name=ci", body=text.encode())
    assert answer.status == 201


def texts(target: FakeTarget) -> list[str]:
    return [line["message"] for line in target.lines()]


async def test_what_is_said_is_posted_signed_with_the_servers_own_secret(tmp_path: Path) -> None:
    async with a_target() as (target, port):
        hook = f"ops=http://127.0.0.1:{port}/hook?a=b"
        async with serving(tmp_path, webhooks=(hook,)) as server:
            target.secret = load_secret(tmp_path, "", "")
            await eventually(lambda: len(list((tmp_path / "webhooks").glob("*.json"))) == 1)
            await post(server, "one")
            await post(server, "elsewhere", "lobby")
            await post(server, "two")
            await eventually(lambda: len(target.taken) == 2)
            assert server.lines("ops") == [
                json.dumps(line, separators=(",", ":")).encode() for line in target.lines()
            ]
        assert target.targets == {"/hook?a=b"}
    for path in (tmp_path / "webhooks").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "webhooks").stat().st_mode) == 0o700


async def test_nothing_is_missed_through_restarts(tmp_path: Path) -> None:
    """In order, and in time; a line whose answer a kill cut off comes again under its id."""
    async with a_target() as (target, port):
        options = ("--webhook", f"ops=http://127.0.0.1:{port}/")
        said = 0
        for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            async with program(tmp_path, *options) as server:
                target.secret = load_secret(tmp_path, "", "")
                await eventually(lambda: len(list((tmp_path / "webhooks").glob("*.json"))) == 1)
                for _ in range(12):
                    await post(server, f"{said}")
                    said += 1
                await server.stop(how)
        async with program(tmp_path, *options):
            await eventually(lambda: len(set(target.taken)) == said)
        once = list(dict.fromkeys(target.taken))
        bodies = dict(target.requests)
        assert [bodies[id]["data"]["message"] for id in once] == [f"{n}" for n in range(said)]
        assert len(target.taken) <= said + 2  # one for each kill


async def test_a_stop_waits_for_no_target(tmp_path: Path) -> None:
    async with a_target() as (target, port):
        target.is_silent = True
        options = ("--webhook", f"ops=http://127.0.0.1:{port}/", "--stop-timeout", "0.5")
        async with program(tmp_path, *options) as server:
            target.secret = load_secret(tmp_path, "", "")
            await eventually(lambda: len(list((tmp_path / "webhooks").glob("*.json"))) == 1)
            await post(server, "one")
            await eventually(lambda: len(target.requests) == 1)
            with trio.fail_after(12):  # less than a target has to answer
                assert await server.stop() == 0


def certificate(folder: Path) -> ssl.SSLContext:
    """Of `localhost`, signed by itself: `folder/cert.pem`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing")
    key, cert = folder / "key.pem", folder / "cert.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(key), "-out", str(cert))
    command = ("openssl", "req", "-x509", *kind, *name, *files)
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def test_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with a_target(context) as (target, port):
        changes = {"webhooks": (f"ops=https://localhost:{port}/",)}
        async with serving(
            tmp_path / "data", webhook_secret=write_secret(SECRET), **changes
        ) as server:
            await eventually(lambda: any((tmp_path / "data").glob("webhooks/*.json")))
            for number in range(3):
                await post(server, f"{number}")
            await eventually(lambda: texts(target) == ["0", "1", "2"])
    assert not (tmp_path / "data" / "webhooks" / "secret").exists()


async def test_a_certificate_that_nobody_vouches_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    context = certificate(tmp_path)
    async with a_target(context) as (target, port):
        changes = {"webhooks": (f"ops=https://localhost:{port}/",)}
        async with serving(tmp_path / "data", **changes) as server:
            await eventually(lambda: any((tmp_path / "data").glob("webhooks/*.json")))
            await post(server, "one")
            await eventually(lambda: "certificate" in caplog.text.lower())
        assert target.requests == []


async def test_another_servers_private_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, and the server runs."""
    id = "0" * 64
    hook = f"{id}=http://127.0.0.1:1/"
    with caplog.at_level(logging.ERROR):
        async with serving(tmp_path, webhooks=(hook,)) as server:
            assert (await server.get("/livez")).status == 200
    assert "A webhook does not run: Name too long." in caplog.text
    assert id not in caplog.text


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "There is no {file} with the webhooks' secret."),
        (b"short\n", "{file}: A webhook's secret is whsec_ and 24 to 64 bytes in base64"),
        (b"\xff" * 50, "{file}: A webhook's secret is whsec_ and 24 to 64 bytes in base64"),
    ],
)
def test_a_secret_that_is_none(tmp_path: Path, secret: bytes | None, said: str) -> None:
    file = tmp_path / "secret"
    if secret is not None:
        file.write_bytes(secret)
    hook = ("--webhook", "ops=http://127.0.0.1:1/")
    done = run(tmp_path / "data", "--port", "0", *hook, "--webhook-secret-file", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said.format(file=file))
    assert len(done.stderr.splitlines()) == 1


def test_the_secret_may_be_a_variable(tmp_path: Path) -> None:
    hook = ("--webhook", "ops=http://127.0.0.1:1/")
    done = run(tmp_path / "data", "--port", "0", *hook, EDGECHAT_WEBHOOK_SECRET="whsec_secret!")
    assert done.returncode == 1
    assert "secret!" not in done.stderr
    assert load_secret(tmp_path, write_secret(SECRET), "") == SECRET
    with pytest.raises(BadSecret):
        load_secret(tmp_path, "x", "")


async def test_without_webhooks_there_is_no_folder(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await post(server, "one")
    assert not (tmp_path / "webhooks").exists()
