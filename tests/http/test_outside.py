"""What the README shows under "Use it from outside" works as it is written there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import trio

from tests.serving.running import Running
from tests.serving.wire import BEGUN

README = Path(__file__).parents[2] / "README.md"
ENDLESS = 4  # seconds, for what follows a room

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")


def blocks() -> str:
    section = README.read_text().split("## Use it from outside\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


def script(port: int) -> str:
    """The blocks, for a server on that port, with an end to what has none."""
    text = blocks().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    lines = text.replace("curl -N", f"curl -N --max-time {ENDLESS}").splitlines()
    return "\n".join(line.replace("curl ", "curl -sS ", 1) + "\necho" for line in lines)


async def test_the_session_of_the_readme(server: Running) -> None:
    with trio.fail_after(BEGUN):
        done = await trio.run_process(
            ["sh", "-c", script(server.port)],
            capture_stdout=True,
            capture_stderr=True,
        )
    stored = server.lines("ops")
    said = [(line["name"], line["message"]) for line in map(json.loads, stored)]
    assert said == [
        ("ci", "deploy done"),
        ("ci", "build 1041 is broken"),
        ("monitor", "disk is full"),
    ]
    text = done.stdout
    first, second, third = stored
    assert text.count(first) == 2  # the answer, and the event
    assert text.count(second) == 3  # … and what was found
    assert text.count(b"\n" + third + b"\n") == 1  # as JSON
    assert text.count(b"data: " + third + b"\n") == 1
    assert b"\nok\n" in text
    endless = blocks().count("curl -N")
    assert endless == 2
    assert done.stderr.count(b"curl: (28)") == endless  # what it said was cut, and nothing else
    assert done.stderr.count(b"curl:") == endless
