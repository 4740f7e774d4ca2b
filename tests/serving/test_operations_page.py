"""The shell's blocks of `docs/operations.md` do what they say, where that can be tried here.

Installing is tried by `tests/packaging`, the unit and the image by `tests/deploy`, the recipes for
proxies by `test_nginx.py` and `tests/deploy/test_caddy.py`, the engine by `tests/nodes`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.cli.commands import environment

from .running import program
from .wire import SOON

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
COMMANDS = [
    re.sub(r"\s+# .*", "", line)
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if not language
]
SERVING = [line for line in COMMANDS if re.match(r"edgechat serve\b(?!.*--engine)", line)]


def test_each_command_is_one_that_a_test_knows() -> None:
    others = [line for line in COMMANDS if line not in SERVING]
    assert [" ".join(line.split()[:2]) for line in others] == [
        "python3 -m",
        "/opt/edgechat/bin/pip install",
        "/opt/edgechat/bin/pip install",
        "/opt/edgechat/bin/edgechat serve",
        "edgechat config",
        "cp deploy/edgechat.service",
        "systemctl daemon-reload",
        "systemctl enable",
        "docker build",
        "docker run",
        "docker compose",
        "chat.example.org {",
        "reverse_proxy 127.0.0.1:8080",
        "}",
        "valkey-server --appendonly",
        "pip install",
        "edgechat serve",
    ]


def test_the_files_that_are_named_are_there() -> None:
    named = re.findall(r"(?<!\S)(?:deploy|requirements)/\S+", "\n".join(COMMANDS))
    assert len(named) == 4
    for name in named:
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("line", SERVING)
async def test_a_server_as_it_is_started(tmp_path: Path, line: str) -> None:
    options = shlex.split(line)[2:]
    assert "--data" not in options
    async with program(tmp_path, *options) as server:
        with trio.fail_after(SOON):
            assert (await server.get("/livez")).body == b"alive"
        await server.stop()
        assert server.log() == ""


def test_what_holds_is_printed(tmp_path: Path) -> None:
    (line,) = [line for line in COMMANDS if line.startswith("edgechat config")]
    file = tmp_path / "edgechat.toml"
    file.write_text("max-rooms = 100\n")
    words = [str(file) if word == "/etc/edgechat.toml" else word for word in line.split()]
    assert str(file) in words
    done = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0, done.stderr
    assert "max-rooms = 100" in done.stdout
