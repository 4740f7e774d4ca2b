"""The wheel as people get it: built from the sdist, installed beside nothing but what it needs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
BOT = """
import trio
from edgechat.client import Message, open_room

async def main() -> None:
    async with open_room("http://127.0.0.1:8080/room/lobby", "bot") as room:
        await room.say("hello")
        async for event in room:
            if isinstance(event, Message):
                reveal_type(event.message)

trio.run(main)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What it prints; fails with what it complains of."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, source: Path, into: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", into, cwd=source)
    (built,) = into.glob({"sdist": "*.tar.gz", "wheel": "*.whl"}[kind])
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel. Its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    command = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    run(*command, "--no-deps", "--no-index", "--disable-pip-version-check", wheel, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A path file of ours: in a folder named by it no path file counts, so the checkout is not seen.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def test_the_sdist_has_what_is_needed_to_build_and_test(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "edgechat/py.typed"} <= names
    assert {"web/index.html", "tests/packaging/test_distribution.py"} <= names
    assert not {name for name in names if name.startswith((".venv", "node_modules", "data"))}


def test_the_wheel_has_the_page_and_its_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"edgechat/web/index.html", "edgechat/openapi.yaml", "edgechat/py.typed"} <= names
    licences = {name for name in names if name.endswith("licenses/LICENSE")}
    assert len(licences) == 1
    tops = {name.split("/")[0] for name in names}
    assert len(tops) == 2  # the package and its metadata


def test_its_readme_points_nowhere_that_an_index_does_not_have(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
    metadata = message_from_bytes(archive.read(name))
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = str(metadata.get_payload())
    assert text.startswith("# EdgeChat\n")
    targets = re.findall(r"\]\(([^)]*)\)", text) + re.findall(r"(?:src|href)=\"([^\"]*)\"", text)
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "<img" not in text
    assert "![" not in text


@pytest.fixture
def started(installed: Path, tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    def start() -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.Popen(
            [installed / "edgechat", "serve", "--port", "0"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def test_it_serves_from_an_empty_folder(
    started: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    with started() as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            address = re.search(r"http://\S+", line)
            assert address, line
            with urlopen(address[0], timeout=60) as page:
                assert page.status == 200
                assert b"EdgeChat" in page.read()
            with urlopen(f"{address[0]}openapi.yaml", timeout=60) as document:
                assert document.read() == (ROOT / "docs" / "openapi.yaml").read_bytes()
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        finally:
            server.kill()
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_bot_is_typed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(BOT)
    said = run(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull),
        *("--python-executable", installed / "python", "bot.py"),
        cwd=tmp_path,
    )
    assert 'Revealed type is "str"' in said, said
