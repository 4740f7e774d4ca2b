from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgechat.cli.rooms import size_words
from edgechat.client import open_room, room_url
from tests.cli.commands import edgechat
from tests.serving.files import make_lines, write
from tests.serving.running import Running

ID = "ab" * 32


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rooms = tmp_path / "data" / "rooms"
    write(rooms / "public" / "lobby.jsonl", make_lines(3))
    write(rooms / "public" / "ops.jsonl", make_lines(1_200, "x" * 100))
    write(rooms / "private" / f"{ID}.jsonl", make_lines(2))
    write(rooms / "public" / "new.jsonl", [])
    return tmp_path / "data"


async def test_all_rooms_of_a_folder(data: Path) -> None:
    done = await edgechat("rooms", "--data", data)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "room               messages      size  last activity\n"
        "ops                   1,200  231.9 kB  2025-11-23 06:40:01\n"
        "lobby                     3     361 B  2025-11-23 06:40:00\n"
        "private abababab…         2     331 B  2025-11-23 06:40:00\n"
        "new                       0      92 B\n"
    )


async def test_for_programs(data: Path) -> None:
    done = await edgechat("rooms", "lobby", ID, "--json", "--data", data)
    assert [json.loads(line) for line in done.out.splitlines()] == [
        {"room": "lobby", "messages": 3, "bytes": 361, "last": 1_763_880_000_003},
        {
            "room": ID,
            "private": True,
            "messages": 2,
            "bytes": 331,
            "last": 1_763_880_000_002,
        },
    ]


async def test_rooms_of_a_server(server: Running) -> None:
    url = f"http://127.0.0.1:{server.port}"
    async with open_room(room_url(url, "lobby"), "alice") as room:
        await room.say("hi")
        done = await edgechat("rooms", "lobby", "ops", "--url", url)
        assert (
            done.out
            == "room   members  messages\nlobby        1         1\nops          0         0\n"
        )
        done = await edgechat("rooms", "--data", server.data, "--url", url)
        assert done.out.startswith(
            "room   members  messages   size  last activity\nlobby        1 "
        )


async def test_no_server(data: Path) -> None:
    done = await edgechat("rooms", "x", "--url", "http://127.0.0.1:1")
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)


@pytest.mark.parametrize(
    "words",
    [
        ("rooms",),
        ("rooms", "--data", "nowhere"),
        ("rooms", "--url", "http://127.0.0.1:1"),
        ("rooms", "--url", "http://127.0.0.1:1", "a!"),
    ],
)
async def test_wrong_arguments(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a checkout has a data folder once `make run` was there
    done = await edgechat(*words)
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1), done


def test_sizes() -> None:
    assert [size_words(n) for n in (0, 999, 1_000, 12_345_678, 5e9, 7e15)] == [
        *("0 B", "999 B", "1.0 kB", "12.3 MB", "5.0 GB", "7000.0 TB"),
    ]
