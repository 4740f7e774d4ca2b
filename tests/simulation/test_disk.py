"""The simulated disk forgets what a real one may forget, and nothing else."""

from __future__ import annotations

from random import Random

import pytest

from .disk import Cut, Disk, Put

SEEDS = range(60)


def left(seed: int, *, sync: str) -> bytes:
    """What a power loss leaves of `first` (synced) and `second` (as `sync` says)."""
    disk = Disk(Random(seed), forgets=True)
    inode = disk.make("/a")
    inode.do(Put(0, b"first"))
    inode.sync()
    disk.sync_names()
    inode.do(Put(5, b"second"))
    if sync == "ok":
        inode.sync()
    if sync == "fails":
        inode.fail_sync(disk.random, forgets=True)
        inode.sync()  # succeeds, and writes nothing
    assert disk.content("/a") == b"firstsecond"
    disk.lose_power()
    return disk.content("/a").rstrip(b"\0")


def test_what_was_synced_stays() -> None:
    assert {left(seed, sync="ok") for seed in SEEDS} == {b"firstsecond"}


def test_what_was_not_synced_may_be_torn_at_any_byte() -> None:
    whole = b"firstsecond"
    assert {left(seed, sync="never") for seed in SEEDS} == {whole[:end] for end in range(5, 12)}


def test_what_a_failed_fsync_did_not_write_is_never_written() -> None:
    assert {left(seed, sync="fails") for seed in SEEDS} == {b"first", b"firstsecond"}


@pytest.mark.parametrize("synced", [True, False])
def test_a_name_lasts_once_its_folder_was_synced(synced: bool) -> None:
    kept = set()
    for seed in SEEDS:
        disk = Disk(Random(seed), forgets=True)
        inode = disk.make("/a")
        inode.do(Put(0, b"text"))
        inode.sync()
        if synced:
            disk.sync_names()
        disk.lose_power()
        kept.add(disk.content("/a"))
    assert kept == ({b"text"} if synced else {b"text", b""})


def test_what_was_cut_off_may_come_back_and_is_known_to() -> None:
    came_back = 0
    for seed in SEEDS:
        disk = Disk(Random(seed), forgets=True)
        inode = disk.make("/a")
        inode.do(Put(0, b"one\ntwo\n"))
        inode.sync()
        disk.sync_names()
        inode.do(Cut(4))
        disk.lose_power()
        came_back += disk.content("/a") == b"one\ntwo\n"
        assert (b"two" in disk.revenants) == (disk.content("/a") == b"one\ntwo\n")
    assert 0 < came_back < len(SEEDS)
