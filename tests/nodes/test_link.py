"""The link: TLS, passwords, an engine that is not ours, and scripts that were flushed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import trio

from edgechat.nodes.engine_address import parse_address
from edgechat.nodes.engine_connection import EngineConnection, Word
from edgechat.nodes.engine_socket import open_wire
from edgechat.nodes.errors import EngineError
from edgechat.nodes.identity import agree_on_key, greet
from tests.nodes.engine import Engine, an_engine
from tests.nodes.judge import soon
from tests.nodes.nodes import a_node
from tests.rooms.storage_contract import LOBBY, follow, head, raw, say
from tests.serving.ports import free_ports
from tests.serving.wire import SOON

KEY = bytes(32)


async def greeted(url: str) -> tuple[str, bytes]:
    """The version of an engine, and a long reply of its."""
    address = parse_address(url)
    with trio.fail_after(SOON):
        wire = await open_wire(address)
        connection = EngineConnection(wire, lambda channel, data: None, lambda: None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.run)
            try:
                identity = await greet(connection, address)
                await connection.request("SET", "long", b"x" * 3_000_000)
                return identity.version, await connection.request("GET", "long")
            finally:
                connection.cut()
    raise AssertionError


async def test_more_than_a_socket_takes_at_once(engine: Engine) -> None:
    version, reply = await greeted(engine.url)
    assert version.split(".")[0].isdigit()
    assert reply == b"x" * 3_000_000


async def test_a_password(short_path: Path) -> None:
    async with an_engine(short_path / "e", password="pass word") as engine:
        assert (await greeted(f"unix://:pass%20word@{engine.socket}".replace("@/", "@/")))[1]


def certificate(folder: Path) -> list[str]:
    """A certificate for `localhost` that vouches for itself; returns the engine's options."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("there is no openssl")
    key, crt = folder / "key.pem", folder / "crt.pem"
    words = [tool, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(crt)], check=True, capture_output=True)
    return ["--tls-cert-file", str(crt), "--tls-key-file", str(key), "--tls-auth-clients", "no"]


async def test_tls(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = certificate(short_path)
    port = free_ports()
    async with an_engine(short_path / "e", "--tls-port", str(port), *options):
        url = f"rediss://localhost:{port}"
        with pytest.raises(OSError, match=r"(?i)certificate"):
            await greeted(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(short_path / "crt.pem"))
        assert (await greeted(url))[1] == b"x" * 3_000_000


async def test_one_key_for_all(engine: Engine) -> None:
    address = parse_address(engine.url)
    wire = await open_wire(address)
    connection = EngineConnection(wire, lambda channel, data: None, lambda: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        await greet(connection, address)
        assert await agree_on_key(connection, KEY) == KEY
        assert await agree_on_key(connection, bytes(range(32))) == KEY
        await connection.request("SET", "ec:{0}:format", "2")
        with pytest.raises(EngineError, match="another version"):
            await agree_on_key(connection, KEY)
        connection.cut()


async def test_an_engine_that_is_emptied_while_a_key_is_agreed_on(engine: Engine) -> None:
    address = parse_address(engine.url)
    wire = await open_wire(address)
    connection = EngineConnection(wire, lambda channel, data: None, lambda: None)
    request = connection.request
    emptied: list[object] = []

    async def emptying(*words: Word) -> object:
        if words[0] == "GET" and words[1] not in emptied:
            emptied.append(words[1])
            await request("FLUSHALL")
        return await request(*words)

    connection.request = emptying  # type: ignore[method-assign]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        await greet(connection, address)
        assert await agree_on_key(connection, KEY) == KEY
        assert len(emptied) == 2
        connection.cut()


async def test_what_can_not_be_sent_is_refused_and_later_taken(
    engine: Engine, tmp_path: Path
) -> None:
    async with a_node(engine, tmp_path / "data") as node:
        log = await node.storage.open(LOBBY)
        lines = await say(node, log, 2)
        await engine.kill()
        await soon(lambda: not node.is_linked)
        more = raw(follow(lines[-1], ["more"]))
        with trio.fail_after(SOON):
            failure = await node.answer(log, lines[-1], more)
            assert "engine" in str(failure)
            await engine.start()
            while failure is not None:
                failure = await node.answer(log, lines[-1], more)
        assert [entry.seq for entry in await log.after(0, 9)] == [1, 2, 3]
        log.close()


async def test_an_engine_whose_memory_is_full_refuses(engine: Engine, tmp_path: Path) -> None:
    async with a_node(engine, tmp_path / "data") as node:
        log = await node.storage.open(LOBBY)
        line = follow(head(log), ["hi"])
        await engine.ask("CONFIG", "SET", "maxmemory", "1")
        assert "OOM" in str(await node.answer(log, head(log), raw(line)))
        await engine.ask("CONFIG", "SET", "maxmemory", "0")
        assert await node.answer(log, head(log), raw(line)) is None
        log.close()
