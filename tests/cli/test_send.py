from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
import trio

from tests.cli.commands import SOON, edgechat, start
from tests.client.server import serving as restarting
from tests.serving.files import check
from tests.serving.running import Running, eventually, serving
from tests.serving.wire import frame, join


def url(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}"


def said(server: Running, room: str = "lobby") -> list[tuple[str, str]]:
    return [(line["name"], line["message"]) for line in check(server.stored(room))]


async def test_a_text(server: Running) -> None:
    done = await edgechat("send", "lobby", "hello, 世界", "--url", url(server), "--name", "ci")
    assert done == (0, "", "")
    done = await edgechat("send", "Lobby", "two\nlines", EDGECHAT_URL=url(server))
    assert done == (0, "", "")
    assert said(server) == [("ci", "hello, 世界"), ("anonymous", "two\nlines")]


async def test_a_whole_address_of_a_room(server: Running) -> None:
    assert (await edgechat("send", f"{url(server)}/room/ops", "x")).status == 0
    assert said(server, "ops") == [("anonymous", "x")]


async def test_lines(server: Running) -> None:
    stdin = b"one\r\n\n  \ntwo\nthree \xff\nno newline"
    assert await edgechat("send", "lobby", "--url", url(server), stdin=stdin) == (0, "", "")
    texts = [text for _, text in said(server)]
    assert texts == ["one", "two", "three \N{REPLACEMENT CHARACTER}", "no newline"]


async def test_all_of_the_input_in_one_message(server: Running) -> None:
    done = await edgechat("send", "lobby", "--whole", "--url", url(server), stdin=b"a\n\nb\n")
    assert done == (0, "", "")
    assert said(server) == [("anonymous", "a\n\nb")]


async def test_a_line_that_is_refused_does_not_stop_the_next(server: Running) -> None:
    stdin = b"one\n" + b"x" * 2_001 + b"\n\x1b[31mred\ntwo\n"
    done = await edgechat("send", "lobby", "--url", url(server), stdin=stdin)
    assert (done.status, done.out) == (1, "")
    first, second = done.err.splitlines()
    assert first.startswith("line 2 is not sent: Message too long")
    assert second.startswith("line 3 is not sent: ")
    assert [text for _, text in said(server)] == ["one", "two"]


async def test_what_is_sent_again_with_the_same_id_is_stored_once(server: Running) -> None:
    for stdin in (b"a\nb\n", b"a\nb\nc\n"):
        done = await edgechat("send", "lobby", "--id", "k", "--url", url(server), stdin=stdin)
        assert done.status == 0
    for _ in range(2):
        assert (await edgechat("send", "lobby", "d", "--id", "d", "--url", url(server))).status == 0
    assert [text for _, text in said(server)] == ["a", "b", "c", "d"]
    done = await edgechat("send", "lobby", "other", "--id", "d", "--url", url(server))
    assert (done.status, len(done.err.splitlines())) == (1, 1)


async def test_the_allowance_is_waited_for(tmp_path: Path) -> None:
    limits = {"message_interval": 0.2, "message_grace": 0.2}
    async with serving(tmp_path / "data", **limits) as server:
        stdin = b"".join(b"%d\n" % n for n in range(6))
        done = await edgechat("send", "lobby", "--url", url(server), "--wait", "5", stdin=stdin)
        assert done == (0, "", "")
        assert [text for _, text in said(server)] == [f"{n}" for n in range(6)]


async def test_a_thousand_lines_through_two_restarts(tmp_path: Path) -> None:
    async with restarting(tmp_path) as server, trio.open_nursery() as nursery:

        def stored() -> int:
            path = server.file_of("load")
            return server.stored("load").count(b"\n") if path.exists() else 0

        async def restart_twice() -> None:
            for lines in (200, 500):
                await eventually(lambda lines=lines: stored() > lines)  # type: ignore[misc]
                await server.kill()
                await server.start()

        nursery.start_soon(restart_twice)
        stdin = b"".join(b"%d\n" % n for n in range(1, 1_001))
        done = await edgechat("send", "load", "--name", "ci", "--url", server.url, stdin=stdin)
        assert done.status == 0
        assert done.err.count("The server is back.\n") == 2
        messages = check(server.stored("load"))
        assert [line["message"] for line in messages] == [f"{n}" for n in range(1, 1_001)]


async def test_no_server(tmp_path: Path) -> None:
    done = await edgechat("send", "lobby", "x", "--url", "http://127.0.0.1:1", "--wait", "0")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: The server can't be reached: ")
    assert len(done.err.splitlines()) == 1


async def test_a_server_that_goes_away_for_good(tmp_path: Path) -> None:
    async with restarting(tmp_path) as server:
        process = await start(
            "send", "lobby", "--url", server.url, "--wait", "0.5", stdin=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stderr is not None
        bob = await join(int(server.url.rpartition(":")[2]), "bob")
        await process.stdin.send_all(b"one\n")
        await bob.until("message", "one")
        await bob.send(frame(b'{"ping":1}'))
        await bob.until("pong")  # so everybody was written to
        await server.kill()
        await process.stdin.send_all(b"two\n")
        with trio.fail_after(SOON):
            said = b"".join([part async for part in process.stderr]).decode()
            assert await process.wait() == 1
        last = said.splitlines()[-1]
        assert last.startswith("Error: The server was away for 0.5 s: line 2 may be stored or not")
        await server.start()


async def test_private_rooms(server: Running) -> None:
    id = (await server.ask("POST", "/api/room")).body.decode()
    assert await edgechat("send", id, "psst", "--url", url(server)) == (0, "", "")
    assert (await edgechat("tail", id, "--url", url(server))).out.endswith(" anonymous: psst\n")
    for words in (("send", "ab" * 32, "x"), ("tail", "ab" * 32), ("tail", "-f", "ab" * 32)):
        done = await edgechat(*words, "--url", url(server))
        assert (done.status, done.out) == (1, "")
        assert done.err == "Error: There is no such room: Name too long.\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it(server: Running, how: signal.Signals) -> None:
    process = await start("send", "lobby", "--url", url(server), stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stderr is not None
    await process.stdin.send_all(b"one\n")
    await eventually(lambda: server.file().exists())
    process.send_signal(how)
    with trio.fail_after(SOON):
        assert await process.wait() == 128 + how
    assert await process.stderr.receive_some() == b""


@pytest.mark.parametrize(
    "words",
    [
        ("send",),
        ("send", "", "x"),
        ("send", "a!", "x"),
        ("send", "http://127.0.0.1:1/room/a!", "x"),
        ("send", "lobby", "x", "--url", "ftp://example.org"),
        ("send", "lobby", "x", "--url", "127.0.0.1:8080"),
        ("send", "lobby", "x", "--wait", "nan"),
        ("send", "lobby", "x", "--id", ""),
        ("send", "lobby", "x", "--id", "x" * 49),
        ("send", "lobby", "x", "--id", "é"),
        ("send", "lobby", "x", "--whole"),
    ],
)
async def test_wrong_arguments(words: tuple[str, ...]) -> None:
    done = await edgechat(*words)
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1), done.err
