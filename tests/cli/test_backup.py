from __future__ import annotations

import errno
import io
import resource
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from edgechat.cli.backup import backup
from edgechat.client import open_room, room_url
from edgechat.history import regular_file
from tests.cli.commands import SOON, arguments, edgechat, environment
from tests.serving.files import check, make_lines, write
from tests.serving.running import Running, serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for room, count in (("lobby", 3), ("ops", 2_000)):
        write(folder / "rooms" / "public" / f"{room}.jsonl", make_lines(count))
    write(folder / "rooms" / "private" / f"{'ab' * 32}.jsonl", make_lines(2))
    (folder / "key").write_bytes(b"{" * 32)
    (folder / "lock").touch()
    (folder / "webhooks").mkdir()
    (folder / "webhooks" / "secret").write_bytes(b"whsec_")
    (folder / "webhooks" / "0123.json").write_bytes(b"{}")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


async def test_a_folder(data: Path, tmp_path: Path) -> None:
    before = files(data)
    with (data / "rooms" / "public" / "lobby.jsonl").open("ab") as lobby:
        lobby.write(b'{"seq":4,"time')
    done = await edgechat("backup", tmp_path / "copy", "--data", data)
    assert (done.status, done.out) == (0, "")
    assert done.err.startswith("3 rooms, ")
    assert done.err.endswith(" and the key of private rooms, which is a secret.\n")
    assert done.err.count("\n") == 1
    del before["lock"]
    assert files(tmp_path / "copy") == before
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "copy").rglob("*.jsonl")}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o700
    name = Path("rooms", "public", "ops.jsonl")
    assert (tmp_path / "copy" / name).stat().st_mtime_ns == (data / name).stat().st_mtime_ns


def test_a_tar_is_the_same(data: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        arguments("backup", "-", "--data", data), capture_output=True, env=environment()
    )
    assert done.returncode == 0
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        tar.extractall(tmp_path / "copy", filter="data")
    before = files(data)
    del before["lock"]
    assert files(tmp_path / "copy") == before


async def test_a_copy_of_a_server_under_load_is_whole_and_serves(
    server: Running, tmp_path: Path
) -> None:
    async def talk(name: str, task_status: trio.TaskStatus[None]) -> None:
        async with open_room(f"http://127.0.0.1:{server.port}/room/{name}", name) as room:
            n = 0
            await room.say("hi")
            task_status.started()
            while True:
                await room.say(f"{n} {'x' * n}")
                n = (n + 1) % 1_900

    async with trio.open_nursery() as nursery:
        for name in ("a", "b", "c"):
            await nursery.start(talk, name)
        for n in range(3):
            done = await edgechat("backup", tmp_path / f"copy{n}", "--data", server.data)
            assert done.status == 0
        nursery.cancel_scope.cancel()
    for n in range(3):
        for name in ("a", "b", "c"):
            path = tmp_path / f"copy{n}" / "rooms" / "public" / f"{name}.jsonl"
            assert check(path)
            assert server.stored(name).startswith(path.read_bytes())
    assert (await edgechat("verify", "--data", tmp_path / "copy2")).status == 0
    async with serving(tmp_path / "copy2") as other:
        with trio.fail_after(SOON):
            async with open_room(room_url(f"http://127.0.0.1:{other.port}", "a")) as room:
                assert (await room.info()).seq == len(check(other.stored("a")))


@pytest.mark.parametrize("target", ["copy", "-"])
def test_a_full_disk_leaves_nothing(data: Path, tmp_path: Path, target: str) -> None:
    with (tmp_path / "tar").open("wb") as output:
        done = subprocess.run(
            arguments("backup", target, "--data", data),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: No backup: File too large."
    assert {path.name for path in tmp_path.iterdir()} == {"data", "tar"}


async def test_where_something_is_already(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (await edgechat("backup", tmp_path / "empty", "--data", data)).status == 0
    for target in (tmp_path / "empty", data, data / "key"):
        done = await edgechat("backup", target, "--data", data)
        assert (done.status, len(done.err.splitlines())) == (2, 1)
    done = await edgechat("backup", tmp_path / "x", "--data", tmp_path)
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    done = await edgechat("backup", tmp_path / "no" / "where" / "x", "--data", data)
    assert done.status in (0, 1)


def test_a_file_that_can_not_be_copied(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(regular_file, "open_regular", refuse)
    copy = tmp_path / "copy"
    done = CliRunner().invoke(backup, [str(copy), "--data", str(data)])
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith("Error: No backup: Permission denied")
    assert list(tmp_path.iterdir()) == [data]
