"""The Dockerfile's own steps, in an empty folder: there need be no engine for it here.

What differs: paths begin in that folder, there is no other user, and the packages of
`requirements/run.txt` are those of this environment, as no test fetches any.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edgechat.cli.main import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FOLDERS = ("/opt/edgechat", "/src", "/data")


class Step(NamedTuple):
    """An instruction, and what stands behind it."""

    word: str
    rest: str


def steps() -> list[Step]:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    found = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [Step(word, rest) for word, _, rest in found]


def value(word: str) -> str:
    (found,) = [step.rest for step in steps() if step.word == word]
    return found


class Image:
    """A folder that stands for an image's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path in ("opt", "src"):
            (root / path).mkdir()

    def inside(self, text: str) -> str:
        """With the paths of the image in this folder."""
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w/.-]){folder}(?![\w-])", f"{self.root}{folder}", text)
        return text

    def run(self, command: str) -> None:
        if "--require-hashes" in command:  # see above
            (packages,) = self.root.glob("opt/edgechat/lib/python*/site-packages")
            (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
            return
        program = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", self.inside(command))
        done = subprocess.run(
            ["sh", "-c", program], cwd=self.root / "src", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def copy(self, names: list[str], target: str) -> None:
        for name in names:
            source = ROOT / name
            to = self.root / "src" / (name if target == "./" else target)
            to.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, to)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """As the steps make it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Image(Path(folder))
        for step in steps():
            if step.word == "RUN":
                made.run(step.rest)
            elif step.word == "COPY" and not step.rest.startswith("--from="):
                *names, target = step.rest.split()
                made.copy(names, target)
        shutil.rmtree(made.root / "src")
        yield made


def test_it_serves_is_healthy_and_stops(image: Image) -> None:
    command = [*json.loads(value("ENTRYPOINT")), *json.loads(value("CMD")), "--port", "0"]
    environment = {"PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [image.inside(each) for each in command],
        cwd=image.root / "opt",
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://localhost:(\d+)/", server.stdout.readline())
            assert found
            health = json.loads(value("HEALTHCHECK").partition(" CMD ")[2])
            health = [image.inside(each).replace(":8080", f":{found[1]}") for each in health]
            assert subprocess.run(health, env=environment).returncode == 0
            server.send_signal(signal.Signals[value("STOPSIGNAL")])
            assert server.wait(60) == 0
            assert subprocess.run(health, env=environment, capture_output=True).returncode == 1
        finally:
            server.kill()
    assert {path.name for path in (image.root / "data").iterdir()} == {"key", "lock", "rooms"}


def test_what_is_copied_is_let_in() -> None:
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert allowed[0] == "*"
    for step in steps():
        if step.word == "COPY" and not step.rest.startswith("--from="):
            for name in step.rest.split()[:-1]:
                assert f"!{name}" in allowed, name
                assert (ROOT / name).exists()


def test_what_runs_is_nobody_special() -> None:
    assert value("USER") == "1000:1000"
    owned = [step.rest for step in steps() if step.word == "COPY" and "--chown" in step.rest]
    assert owned == ["--from=build --chown=1000:1000 /data /data"]


def test_the_compose_files_command_can_be_given() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    (command,) = re.findall(r"^    command: \[(.*)\]$", text, re.MULTILINE)
    name, *arguments = command.split(", ")
    known = {option for param in main.commands[name].params for option in param.opts}
    assert {each for each in arguments if each.startswith("--")} <= known
    for line in ("read_only: true", "cap_drop: [ALL]", 'volumes: ["data:/data"]'):
        assert f"    {line}\n" in text
    (file,) = re.findall(r"^      dockerfile: (.*)$", text, re.MULTILINE)
    assert (ROOT / file).exists()
