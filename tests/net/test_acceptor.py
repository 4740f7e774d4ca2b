"""Accepting goes on, whatever `accept` says; the log is told of a state and not of each failure."""

from __future__ import annotations

import errno
import logging
import os
from itertools import pairwise
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from edgechat import system
from edgechat.net.acceptor import Acceptor
from edgechat.net.reserve import Reserve
from tests.serving.running import open_files

Answer = int | str  # an error number, or the address of one who comes


class Listening:
    """A listening socket that answers as it is told, and then has nobody waiting."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[float] = []
        self._told = trio.Event()

    def accept(self) -> tuple[object, tuple[str, int]]:
        self.asked.append(trio.current_time())
        if not self._answers:
            raise BlockingIOError
        answer = self._answers.pop(0)
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        return object(), (answer, 1)

    def say(self, *answers: Answer) -> None:
        self._answers += answers
        self._told.set()

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        if not self._answers and self.asked:
            self._told = trio.Event()
            await self._told.wait()


@pytest.fixture(autouse=True)
def _readable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait_readable(socket: Any) -> None:
        await socket.wait_readable()

    monkeypatch.setattr(system, "wait_readable", wait_readable)


def acceptor(listening: Listening, peers: list[str], reserve: Reserve | None = None) -> Acceptor:
    """It writes down who is let in."""

    def welcome(_: object, peer: str) -> None:
        peers.append(peer)

    return Acceptor(listening, welcome, reserve or Reserve(0))  # type: ignore[arg-type]


async def accepted(listening: Listening, seconds: float = 5.0) -> list[str]:
    """Who is let in within that time."""
    peers: list[str] = []
    with trio.move_on_after(seconds):
        await acceptor(listening, peers).run()
    return peers


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENOBUFS, errno.EINVAL, errno.EIO])
async def test_an_error_of_accepting_is_logged_once_and_waited_for(
    error: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    listening = Listening("a", *[error] * 20, "b")
    assert await accepted(listening) == ["a", "b"]
    pauses = [later - now for now, later in pairwise(listening.asked[1:22])]
    assert min(pauses) == pytest.approx(0.1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("error", [errno.ECONNABORTED, errno.EPROTO, errno.ENETUNREACH])
async def test_an_error_of_one_connection_costs_the_others_nothing(
    error: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert await accepted(Listening(error, "a", error, error, "b"), seconds=0.05) == ["a", "b"]
    assert caplog.records == []


# It fails at 0 s, for 0.3 s; then, beyond 10 s without a failure, someone comes: that is said. What
# fails and goes well by turns within those 10 s is one state.
async def test_the_log_is_told_when_it_goes_on(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, nursery: trio.Nursery
) -> None:
    listening = Listening(errno.EMFILE, "a", errno.EMFILE, "b", errno.EMFILE)
    peers: list[str] = []
    caplog.set_level(logging.INFO)
    nursery.start_soon(acceptor(listening, peers).run)
    await trio.sleep(5)
    listening.say("c")
    await trio.sleep(6)
    listening.say("d")
    await trio.sleep(1)
    listening.say(errno.EMFILE)
    await trio.sleep(1)
    assert peers == ["a", "b", "c", "d"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "ERROR"]


async def test_the_reserve_is_for_those_who_would_not_get_in(
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = open_files()
    reserve = Reserve(2)
    reserve.fill()
    assert open_files() == files + 2
    peers: list[str] = []
    listening = Listening(errno.EMFILE, "a", errno.EMFILE, "b", errno.EMFILE, "c")
    monkeypatch.setattr(reserve, "fill", lambda: None)  # all others are taken
    nursery.start_soon(acceptor(listening, peers, reserve).run)
    await trio.sleep(0.05)
    assert (peers, len(reserve)) == (["a", "b"], 0)
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    monkeypatch.delattr(reserve, "fill")
    await trio.sleep(0.2)
    assert (peers, len(reserve)) == (["a", "b", "c"], 2)
    reserve.close()
    reserve.fill()
    assert open_files() == files
