"""Search: `GET /api/room/<r>/history?q=`."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
import trio

from edgechat import system
from edgechat.http.word_search import Scan
from tests.serving import files
from tests.serving.running import Answer, Running, eventually, serving
from tests.serving.wire import SOON, join

from .test_app import error

TARGET = "/api/room/lobby/history"


async def search(server: Running, words: str, more: str = "") -> Answer:
    return await server.get(f"{TARGET}?q={quote(words)}{more}")


def seqs(answer: Answer) -> list[int]:
    assert answer.status == 200
    return [json.loads(line)["seq"] for line in answer.body.splitlines()]


async def test_all_words_whatever_their_case(server: Running) -> None:
    alice = await join(server.port, "deploy")
    texts = ["Deploy done", "deploy failed", "DONE: Straße", "cafe\u0301 at 5", "50% off, a+b"]
    with trio.fail_after(SOON):
        for text in texts:
            await alice.say(text)
        await alice.until("seq", len(texts))
    for words, expected in (
        ("deploy", [1, 2]),  # and not by the name
        ("done DEPLOY", [1]),
        ("done", [1, 3]),
        ("STRASSE", [3]),
        ("caf\u00e9", [4]),
        ("50%", [5]),
        ("a+b", [5]),
        ("seq", []),
        ("deploy cafe", []),
    ):
        answer = await search(server, words)
        assert seqs(answer) == expected, words
        assert answer.headers["edgechat-more"] == "false"
        assert "edgechat-next" not in answer.headers
        lines = server.lines()
        assert answer.body == b"".join(lines[seq - 1] + b"\n" for seq in expected)


@pytest.mark.parametrize("where", ["", "&after=0"])
async def test_it_goes_on_where_it_ended(server: Running, where: str) -> None:
    lines = [
        (b"7" in json.loads(line)["message"].encode(), line) for line in files.make_lines(5_000)
    ]
    files.write(server.file(), [line for _, line in lines])
    expected = [seq for seq, (has, _) in enumerate(lines, 1) if has]
    found: list[list[int]] = []
    while True:
        answer = await search(server, "7", f"&limit=300{where}")
        found.append(seqs(answer))
        assert len(found[-1]) <= 300
        if answer.headers["edgechat-more"] == "false":
            break
        place = answer.headers["edgechat-next"]
        where = f"&after={place}" if "after" in where else f"&before={place}"
    if "after" not in where:
        found.reverse()
    assert [seq for page in found for seq in page] == expected


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_request_looks_at_a_part_only(tmp_path: Path, where: str) -> None:
    async with serving(tmp_path, search_bytes=100_000) as server:
        files.write(server.file(), files.make_lines(5_000, "needle"))
        looks, found, query = 0, 0, "&after=0" if where == "after" else ""
        while query is not None:
            answer = await search(server, "needle 33", query + "&limit=1000")
            found += len(seqs(answer))
            looks += 1
            place = answer.headers.get("edgechat-next")
            if place is None:
                break
            query = f"&{where}={place}"
        assert found == sum("33" in str(seq) for seq in range(1, 5_001))
        assert looks >= 4


async def test_a_request_takes_its_time_only(tmp_path: Path) -> None:
    async with serving(tmp_path, search_time=0.0) as server:
        files.write(server.file(), files.make_lines(5_000))
        answer = await search(server, "nothing")
        assert (seqs(answer), answer.headers["edgechat-more"]) == ([], "true")
        assert answer.headers["edgechat-next"] == "5000"  # one line was looked at


async def test_an_answer_is_of_bounded_size(tmp_path: Path) -> None:
    async with serving(tmp_path, page_bytes=10_000) as server:
        files.write(server.file(), files.make_lines(100, "x" * 1_000))
        answer = await search(server, "x" * 200)
        assert len(answer.body) < 12_000
        assert seqs(answer)[-1] == 100
        assert int(answer.headers["edgechat-next"]) == seqs(answer)[0]


async def test_damage_costs_the_damaged_line(server: Running) -> None:
    lines = files.make_lines(10, "needle")
    files.write(server.file(), [*lines[:4], lines[4].replace(b"alice", b"malic"), *lines[5:]])
    assert seqs(await search(server, "needle")) == [1, 2, 3, 4, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("query", ["q=", "q=%20", "q=" + "x" * 201, "q=a&q=b", "q=a&around=1"])
async def test_words_that_are_none(server: Running, query: str) -> None:
    answer = await server.get(f"{TARGET}?{query}")
    assert (answer.status, error(answer.body)) == (400, "bad_request")


async def test_an_empty_room(server: Running) -> None:
    assert seqs(await search(server, "needle")) == []
    assert server.files() == set()


async def test_one_search_of_an_address_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, may_end = trio.Event(), trio.Event()
    run_in_thread = system.run_in_thread

    async def slow(call: object, *args: object, **where: object) -> object:
        if getattr(call, "__func__", None) is Scan.look_at:
            going_on.set()
            await may_end.wait()
        return await run_in_thread(call, *args, **where)  # type: ignore[arg-type]

    monkeypatch.setattr(system, "run_in_thread", slow)
    answers: list[Answer] = []
    async with serving(tmp_path, trusted_proxies=("127.0.0.1",)) as server:
        files.write(server.file(), files.make_lines(10, "needle"))

        async def ask(address: str) -> None:
            header = f"X-Forwarded-For: {address}"
            answers.append(await server.get(f"{TARGET}?q=needle", header))

        with trio.fail_after(SOON):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, "203.0.113.1")
                await going_on.wait()
                await ask("203.0.113.1")
                (refused,) = answers
                assert (refused.status, error(refused.body)) == (429, "rate_limited")
                assert refused.headers["retry-after"] == "1"
                nursery.start_soon(ask, "203.0.113.2")
                may_end.set()
                await eventually(lambda: len(answers) == 3)
            await ask("203.0.113.1")
        assert [answer.status for answer in answers] == [429, 200, 200, 200]
