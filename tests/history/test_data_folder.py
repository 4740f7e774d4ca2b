from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import DataFolder, DataFolderError
from tests.serving.running import serving
from tests.serving.talking import Broken, said
from tests.serving.wire import join


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_makes_what_is_not_there(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a" / "b")
    key = folder.prepare()
    folder.release()
    assert len(key) == 32
    assert (tmp_path / "a/b/rooms/public").is_dir()
    assert (tmp_path / "a/b/rooms/private").is_dir()
    assert mode(tmp_path / "a/b/key") == 0o600
    assert not (tmp_path / "a/b/key.new").exists()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_key_is_nobody_elses_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = DataFolder(tmp_path / "data")
        folder.prepare()
        folder.release()
    finally:
        os.umask(before)
    assert mode(tmp_path / "data" / "key") == 0o600


def test_the_key_lasts(tmp_path: Path) -> None:
    keys = set()
    for _ in range(3):
        folder = DataFolder(tmp_path)
        keys.add(folder.prepare())
        folder.release()
    assert len(keys) == 1
    other = DataFolder(tmp_path / "other")
    assert other.prepare() not in keys
    other.release()


@pytest.mark.parametrize("key", [b"", b"short", bytes(33)])
def test_a_bad_key_is_not_replaced(tmp_path: Path, key: bytes) -> None:
    (tmp_path / "key").write_bytes(key)
    with pytest.raises(DataFolderError, match="not a key of 32 bytes: restore it, or remove it"):
        DataFolder(tmp_path).prepare()
    assert (tmp_path / "key").read_bytes() == key
    (tmp_path / "key").write_bytes(bytes(32))
    folder = DataFolder(tmp_path)  # the first try has let go of the lock
    assert folder.prepare() == bytes(32)
    folder.release()


def test_a_key_half_written_by_a_crash_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "key.new").write_bytes(b"half")
    folder = DataFolder(tmp_path)
    assert len(folder.prepare()) == 32
    folder.release()


def test_one_server_at_a_time(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)
    key = first.prepare()
    for _ in range(2):
        with pytest.raises(DataFolderError, match="Another EdgeChat server uses the data folder"):
            DataFolder(tmp_path).prepare()
    first.release()
    second = DataFolder(tmp_path)
    assert second.prepare() == key
    second.release()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from edgechat.history.data_folder import DataFolder;"
        "DataFolder(Path(sys.argv[1])).prepare(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    folder = DataFolder(tmp_path)
    folder.prepare()
    folder.release()


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_its_folders_are_nobody_elses_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """A private room's id is the name of its file."""
    before = os.umask(umask)
    try:
        folder = DataFolder(tmp_path / "a/data")
        folder.prepare()
        folder.release()
    finally:
        os.umask(before)
    for made in ("a/data", "a/data/rooms", "a/data/rooms/public", "a/data/rooms/private"):
        assert mode(tmp_path / made) == 0o700, made
    assert mode(tmp_path / "a") == 0o777 & ~umask  # not ours


def test_folders_that_were_there_are_shut_for_others(tmp_path: Path) -> None:
    for there in (".", "rooms", "rooms/public", "rooms/private"):
        (tmp_path / there).mkdir(exist_ok=True)
        (tmp_path / there).chmod(0o755)
    folder = DataFolder(tmp_path)
    folder.prepare()
    folder.release()
    assert mode(tmp_path) == 0o755  # may be shared on purpose
    assert mode(tmp_path / "rooms/private") == mode(tmp_path / "rooms") == 0o700


def test_folders_that_can_not_be_shut_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rooms/private").mkdir(parents=True)
    (tmp_path / "rooms/private").chmod(0o755)
    (tmp_path / "rooms").chmod(0o700)
    Broken(monkeypatch, "chmod").failing = True
    folder = DataFolder(tmp_path)
    folder.prepare()
    folder.release()
    assert f"Other users of this machine may list the rooms in {tmp_path}/rooms/pr" in caplog.text


async def test_a_folder_that_was_moved_away_and_made_anew_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, moved = tmp_path / "data", tmp_path / "moved"
    async with serving(data) as server:
        alice = await join(server.port, "alice")
        assert (await said(alice, "one"))["seq"] == 1
        data.rename(moved)
        other = DataFolder(data)
        other.prepare()
        try:
            assert (await said(alice, "two"))["code"] == "storage_unavailable"
            assert (await server.get("/api/room/lobby")).status == 503
            assert "the data folder was moved away" in caplog.text
            assert not list((data / "rooms/public").iterdir())
        finally:
            other.release()
        shutil.rmtree(data)
        moved.rename(data)
        alice = await join(server.port, "alice")
        assert (await said(alice, "two"))["seq"] == 2


@pytest.mark.parametrize("in_the_way", ["rooms", "rooms/public", "key/x", "lock/x"])
def test_what_is_in_the_way_is_said(tmp_path: Path, in_the_way: str) -> None:
    path = tmp_path / in_the_way
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(DataFolderError, match=r"The data folder .* can't be used: ."):
        DataFolder(tmp_path).prepare()
    assert os.listdir("/proc/self/fd") == before


def test_where_histories_are(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.history(RoomKey("世", private=False)) == tmp_path / "rooms/public/世.jsonl"
    id = "ab" * 32
    assert folder.history(RoomKey(id, private=True)) == tmp_path / f"rooms/private/{id}.jsonl"
