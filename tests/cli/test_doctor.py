from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.cli import check_machine
from edgechat.cli.check_data import check_data
from edgechat.cli.check_server import check_server
from edgechat.cli.finding import Finding
from tests.cli.commands import edgechat
from tests.serving.files import make_lines, write
from tests.serving.running import Running, program, serving


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A folder that a server made, and used."""
    async with serving(tmp_path / "data") as server:
        id = (await server.ask("POST", "/api/room")).body.decode()
    write(server.file(), make_lines(3))
    write(tmp_path / "data" / "rooms" / "private" / f"{id}.jsonl", make_lines(1))
    (tmp_path / "data").chmod(0o700)
    return tmp_path / "data"


def bad(findings: Any) -> list[Finding]:
    return [found for found in findings if found.level != "ok"]


async def test_a_good_folder(data: Path) -> None:
    assert bad(check_data(data)) == []
    done = await edgechat("doctor", "--data", data)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"ok       {data} can be read and written.\n")


async def test_names_that_no_room_reads(data: Path) -> None:
    rooms = data / "rooms"
    for name in ("Lobby.jsonl", "a_b.jsonl", "x.jsonl.bak", "a!.jsonl"):
        (rooms / "public" / name).touch()
    (rooms / "private" / f"{'ab' * 32}.jsonl").touch()
    (found,) = bad(check_data(data))
    assert found.level == "warning"
    for name in ("Lobby.jsonl", "a_b.jsonl", "x.jsonl.bak", "a!.jsonl", "abababab….jsonl"):
        assert name in found.what
    assert "ab" * 32 not in found.what


async def test_permissions(data: Path) -> None:
    (data / "key").chmod(0o644)
    for path in (data, data / "rooms", data / "rooms" / "private"):
        path.chmod(0o755)
    first, second = bad(check_data(data))
    assert first == Finding("error", f"Others may read {data}/key.", f"chmod 600 {data}/key")
    assert (second.level, second.do) == ("warning", f"chmod 700 {data}")
    assert (await edgechat("doctor", "--data", data)).status == 1


async def test_what_webhooks_keep(data: Path) -> None:
    (data / "webhooks").mkdir(mode=0o700)
    secret = data / "webhooks" / "secret"
    secret.touch(0o600)
    assert bad(check_data(data)) == []
    secret.chmod(0o640)
    (found,) = bad(check_data(data))
    assert found == Finding("error", f"Others may read {secret}.", f"chmod 600 {secret}")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
async def test_a_file_of_another_user(data: Path) -> None:
    await trio.to_thread.run_sync(os.chown, data / "rooms" / "public" / "lobby.jsonl", 12345, -1)
    (found,) = bad(check_data(data))
    assert found.level == "error"
    assert f"chown -R {os.getuid()} {data}" in found.do


async def test_keys(data: Path) -> None:
    await trio.Path(data / "key").write_bytes(b"short")
    assert [found.level for found in bad(check_data(data))] == ["error", "warning"]
    (data / "key").unlink()
    assert [found.level for found in bad(check_data(data))] == ["warning", "warning"]


async def test_a_clock_that_went_back(data: Path) -> None:
    later = int(time.time() * 1_000) + 3_600_000
    write(data / "rooms" / "public" / "lobby.jsonl", make_lines(1, now=later))
    found = check_machine._check_clock(data)
    assert found.level == "warning"
    assert found.what.startswith("The last message is 3")


async def test_the_disk(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(data)

    def full(free: int, names: int = 10**6) -> str:
        values = [*real]
        values[1], values[4], values[5], values[7] = 1, free, 10**6, names  # f_frsize, f_bavail
        values[8] = names
        monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(values))
        return check_machine._check_disk(data).level

    assert [full(10**10), full(5 * 10**8), full(10**7), full(10**10, 3)] == [
        *("ok", "warning", "error", "error"),
    ]


async def test_the_limits_of_a_server_that_runs(tmp_path: Path) -> None:
    async with program(tmp_path / "data", before=("prlimit", "--nofile=500:600")) as server:
        found = check_machine._check_limits(server.data)
        assert found.what == f"The server (process {server.pid}) may open 600 files."
        assert found.level == "warning"


@pytest.mark.parametrize(("options", "workers"), [((), 0), (("--workers", "2"), 2)])
async def test_the_workers_of_a_server_that_runs(
    tmp_path: Path, options: tuple[str, ...], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path / "data", *options) as server:
        found = {}
        for cores in (1, 2, 8):
            monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
            found[cores] = [(one.level, one.what) for one in _workers(server.data)]
        if workers:
            assert found[1] == [("warning", "The server has 2 workers on one core.")]
            assert found[2] == [("ok", "The server has 2 workers on 2 cores.")]
        else:
            text = "The server uses one of 8 cores; --workers auto lets it use all."
            assert (found[1], found[8]) == ([], [("ok", text)])
        monkeypatch.undo()
        server.process.kill()
        await server.process.wait()
        if workers:  # they hold the folder for a moment
            text = "The server's first process has ended; its workers stop, and hold the folder."
            assert [one.what for one in _workers(server.data)] in ([text], [])


def _workers(data: Path) -> list[Finding]:
    return list(check_machine._check_workers(data))


async def test_a_server(server: Running) -> None:
    findings = await check_server(f"http://127.0.0.1:{server.port}")
    assert bad(findings) == []
    assert len(findings) == 5
    assert "doctor.jsonl" not in server.files()
    done = await edgechat("doctor", "--json", "--url", f"http://127.0.0.1:{server.port}")
    assert done.status == 0
    assert all(json.loads(line)["level"] == "ok" for line in done.out.splitlines())


@pytest.mark.parametrize(
    ("alive", "upgraded", "what"),
    [
        (b"404 Not Found", b"", "answers 404."),
        (b"200 OK", b"HTTP/1.1 400 Bad Request", "No WebSocket comes through: the answer is 400."),
        (b"200 OK", b"HTTP/1.1 403 Forbidden", "It takes its own page for another site's (403)."),
        (b"200 OK", b"garbage", "No WebSocket comes through: the answer is not HTTP."),
    ],
)
async def test_what_is_before_the_server(
    nursery: trio.Nursery, alive: bytes, upgraded: bytes, what: str
) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        is_upgrade = b"Upgrade" in await stream.receive_some()
        first = upgraded if is_upgrade else b"HTTP/1.1 " + alive
        await stream.send_all(first + b"\r\nContent-Length: 0\r\n\r\n")

    listeners = await nursery.start(trio.serve_tcp, answer, 0)
    port = listeners[0].socket.getsockname()[1]
    (found,) = bad(await check_server(f"http://127.0.0.1:{port}"))
    assert found.level == "error"
    assert found.what.endswith(what)
    nursery.cancel_scope.cancel()


async def test_no_server() -> None:
    done = await edgechat("doctor", "--url", "http://127.0.0.1:1")
    assert done.status == 1
    assert done.out.startswith("error    No answer from http://127.0.0.1:1: ")
