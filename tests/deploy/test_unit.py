"""The unit for systemd in `deploy/`."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from edgechat.cli.main import main

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "deploy" / "edgechat.service").read_text()
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 20  # tenths, of 100: systemd calls up to 2.0 "OK"

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is missing")


def test_its_command_can_be_given() -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    program, command, *arguments = shlex.split(line)
    assert program == "/opt/edgechat/bin/edgechat"
    known = {option for param in main.commands[command].params for option in param.opts}
    assert {each for each in arguments if each.startswith("--")} <= known


def test_the_server_says_when_it_is_ready() -> None:
    """`tests/deploy/test_notify.py` holds the server to it."""
    assert {"Type=notify", "WatchdogSec=30"} <= set(UNIT.splitlines())


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    path = tmp_path / "edgechat.service"
    path.write_text(UNIT.replace("/opt/edgechat/bin/edgechat", shutil.which("true") or "/bin/true"))
    return path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True)


@needs_systemd
def test_systemd_understands_it(installed: Path) -> None:
    done = analyze("verify", installed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    installed.write_text(installed.read_text().replace("ProtectClock=yes", "ProtectClocks=yes"))
    assert "Unknown key" in analyze("verify", installed).stderr  # it would have said so


@needs_systemd
def test_it_may_do_little(installed: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", installed)
    assert done.returncode == 0, done.stdout + done.stderr
