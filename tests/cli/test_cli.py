from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat import __version__
from edgechat.cli.main import main
from edgechat.settings import Settings
from tests.serving.running import command, program
from tests.serving.wire import SOON

BIG = "x" * 1_900
NOT_A_MEMBER = b"GET /livez HTTP/1.1\r\nHost: "


def run(data: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """To its end; it can't serve."""
    environment = {**os.environ, **env}
    whole = command(data, *options)
    return subprocess.run(whole, capture_output=True, text=True, env=environment, timeout=SOON)


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "x"),
        ("--port", "65536"),
        ("--port", "-1"),
        ("--message-interval", "-1"),
        ("--message-grace", "nan"),
        ("--message-interval", "inf"),
        ("--max-message-chars", "0"),
        ("--backlog", "1001"),
        ("--room-idle", "soon"),
        ("--durability", "tape"),
        ("--trusted-proxy", "example.org"),
        ("--nonsense",),
        ("extra",),
    ],
)
def test_bad_values_are_told_in_one_line(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run(tmp_path / "data", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "data").exists()


def test_a_bad_value_in_the_environment(tmp_path: Path) -> None:
    done = run(tmp_path / "data", EDGECHAT_PORT="many")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "many" in done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        done = run(tmp_path / "data", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Can't listen on 127.0.0.1 port {port}: address already in use.\n"


def test_a_host_that_is_not_here(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "--port", "0", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert re.fullmatch(r"Can't listen on 192\.0\.2\.1 port 0: .*\.\n", done.stderr)


def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = run(tmp_path / "file" / "data", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"The data folder .* can't be used: Not a directory\.\n", done.stderr)


async def test_a_second_server_on_a_folder(tmp_path: Path) -> None:
    async with program(tmp_path) as first:
        done = await trio.to_thread.run_sync(run, tmp_path, "--port", "0")
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch("Another EdgeChat server uses the data folder .*\n", done.stderr)
        assert (await first.get("/livez")).status == 200


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out


def settings_of(monkeypatch: pytest.MonkeyPatch, *options: str) -> Settings:
    """What the command line makes of its options and variables."""
    seen: list[Settings] = []
    run: Callable[[Settings], None] = seen.append
    monkeypatch.setattr("edgechat.cli.serve._run_server", run)
    with pytest.raises(SystemExit):
        main(["serve", *options])
    return seen[0]


VARIABLES: list[tuple[str, str, Any]] = [
    ("HOST", "0.0.0.0", "0.0.0.0"),
    ("PORT", "1234", 1234),
    ("DATA", "/somewhere", Path("/somewhere")),
    ("DURABILITY", "disk", "disk"),
    ("MESSAGE_INTERVAL", "0.5", 0.5),
    ("MESSAGE_GRACE", "3", 3.0),
    ("MAX_MESSAGE_CHARS", "99", 99),
    ("BACKLOG", "7", 7),
    ("ROOM_IDLE", "8", 8.0),
    ("LIMITER_IDLE", "9", 9.0),
    ("MAX_CONNECTIONS_PER_ADDRESS", "3", 3),
    ("MAX_OPENED_PER_MINUTE", "4", 4),
    ("PROXY_HEADER", "forwarded", "Forwarded"),
]


@pytest.mark.parametrize(("name", "text", "value"), VARIABLES)
def test_each_option_is_a_variable_too(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    field = name.lower()
    assert getattr(settings_of(monkeypatch), field) == getattr(Settings(), field)
    assert getattr(settings_of(monkeypatch, f"--{field.replace('_', '-')}", text), field) == value
    monkeypatch.setenv(f"EDGECHAT_{name}", text)
    assert getattr(settings_of(monkeypatch), field) == value


def test_lists_of_origins_and_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECHAT_ALLOW_ORIGIN", "https://a.example https://b.example")
    monkeypatch.setenv("EDGECHAT_TRUSTED_PROXY", "10.0.0.0/8 fd00::1")
    settings = settings_of(monkeypatch)
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.trusted_proxies == ("10.0.0.0/8", "fd00::1")
