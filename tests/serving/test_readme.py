"""Every block of the README does what it says, as it is written there.

What stands under "Use it from outside" is run by `tests/http/test_outside.py`; installing is tried
by `tests/packaging/test_distribution.py`, and is passed over here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from edgechat.cli.main import main

from .running import Running, command
from .wire import BEGUN

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PATIENCE = 2 * BEGUN  # for a script of many commands


class Block(NamedTuple):
    """A block of code, and under which heading it stands."""

    section: str
    language: str
    text: str


def blocks() -> list[Block]:
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [
        Block(
            (re.findall(r"^## (.*)$", README[: one.start()], re.MULTILINE) or [""])[-1],
            *one.groups(),
        )
        for one in found
    ]


MAKE, INSTALL, COMMANDS, BOT, OUTSIDE = blocks()


def test_each_block_is_one_that_a_test_knows() -> None:
    assert [block[:2] for block in blocks()] == [
        ("", ""),
        ("Run it for others", ""),
        ("Run it for others", ""),
        ("Run it for others", "python"),
        ("Use it from outside", "sh"),
    ]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is missing")
def test_make(tmp_path: Path) -> None:
    """What it would do: setting up takes minutes, and is what brought this test here."""
    known = re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in MAKE.text.splitlines():
        word, target, *_ = line.split()
        assert word == "make"
        assert target in known
        whole = ["make", "--dry-run", "--directory", str(ROOT), target]
        done = subprocess.run(whole, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert {"run": "edgechat serve", "test": "pytest"}[target] in done.stdout


def program_of(line: str) -> list[str]:
    """A line of a block as it is run here: its comment and the environment's path taken off."""
    bare = re.sub(r"\s+# .*", "", line).replace("/opt/edgechat/bin/edgechat", "edgechat")
    return [bare] if bare.startswith("edgechat ") else []


async def run(script: str, cwd: Path, url: str) -> str:
    """What it prints. `edgechat` is this checkout's."""
    whole = f'edgechat() {{ "{sys.executable}" -m edgechat "$@"; }}\nset -e\n{script}'
    with trio.fail_after(PATIENCE):
        done = await trio.run_process(
            ["sh", "-c", whole],
            cwd=cwd,
            env={"EDGECHAT_URL": url, "PATH": "/usr/bin:/bin"},
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@asynccontextmanager
async def served(data: Path, *options: str) -> AsyncIterator[Running]:
    """Without a log in its folder, which is copied."""
    whole = [*command(data, "--port", "0", "--message-interval", "0"), *options]
    process = await trio.lowlevel.open_process(whole, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        with trio.fail_after(BEGUN):
            line = await process.stdout.receive_some()
        found = re.search(rb"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        yield Running(int(found[1]), data)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stdout.aclose()


async def test_the_server_and_the_commands(tmp_path: Path) -> None:
    installing = [line for line in INSTALL.text.splitlines() if not program_of(line)]
    assert [line.split("#")[0].split()[-2:] for line in installing] == [
        ["venv", "/opt/edgechat"],
        ["install", "."],
    ]
    # A server of any port, that lives for as long as the commands take.
    (serve,) = [found for line in INSTALL.text.splitlines() for found in program_of(line)]
    options = serve.split()[2:]
    at = options.index("--data")
    del options[at : at + 2]
    async with served(tmp_path / "chat", *options) as server:
        url = f"http://127.0.0.1:{server.port}"
        await run('edgechat send lobby "hi" --name ci', tmp_path, url)
        script = "\n".join(f for line in COMMANDS.text.splitlines() for f in program_of(line))
        assert script.count("\n") + 1 == len(COMMANDS.text.splitlines())
        script = script.replace("/srv/chat", str(tmp_path / "chat"))
        script = script.replace("/backup/chat", str(tmp_path / "copy"))
        said = await run(script, server.file().parent, url)
        assert " serve [OPTIONS]\n" in said
        assert [line.split(b'"message":')[1][:13] for line in server.lines("ops")] == [
            b'"deploy done"'
        ]
    copied = tmp_path / "copy" / "rooms" / "public" / "lobby.jsonl"
    assert copied.read_bytes() == server.file().read_bytes()


async def test_the_bot(server: Running) -> None:
    text = BOT.text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
    whole = [sys.executable, "-u", "-c", text]
    process = await trio.lowlevel.open_process(whole, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        with trio.fail_after(BEGUN):
            said = b""
            while b"\n" not in said:
                said += await process.stdout.receive_some()
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stdout.aclose()
    assert said == b"bot hello\n"


def test_each_command_that_it_shows_is_there() -> None:
    shown = set(re.findall(r"`edgechat (\w+)", README))
    assert shown <= set(main.commands)
