"""The phases of a WebSocket, each way from one to another."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import trio

from edgechat.chat.errors import Close
from edgechat.net.sender import _NEXT, Phase, Sender
from edgechat.settings import Settings

OPEN, CLOSING, GONE = Phase.OPEN, Phase.CLOSING, Phase.GONE

WAYS: dict[Phase, list[Callable[[Sender], None]]] = {
    OPEN: [],
    CLOSING: [lambda sender: sender.close(Close.RESTART, "")],
    GONE: [lambda sender: sender.give_up()],
}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize(("move", "after"), [("close", CLOSING), ("give_up", GONE)])
async def test_each_phase_is_left_only_for_those_in_the_table(
    pair: tuple[socket.socket, socket.socket], before: Phase, move: str, after: Phase
) -> None:
    async with trio.open_nursery() as nursery:
        sender = Sender(pair[0], nursery, Settings())
        for step in WAYS[before]:
            step(sender)
        assert sender.phase is before
        getattr(sender, move)(*((Close.SLOW, "") if move == "close" else ()))
        possible = after in _NEXT[before]
        assert sender.phase is (after if possible else before)
        assert nursery.cancel_scope.cancel_called
        assert sender.direct is None
        sender.write(b"too late")
        with pytest.raises(BlockingIOError):
            pair[1].recv(1)


async def test_why_it_closed_is_what_was_said_first(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    async with trio.open_nursery() as nursery:
        sender = Sender(pair[0], nursery, Settings())
        sender.close(Close.SLOW, "slow")
        sender.close(Close.RESTART, "restart")
        assert sender.goodbye == (Close.SLOW, "slow")


async def test_a_broken_connection_is_said_nothing(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    async with trio.open_nursery() as nursery:
        sender = Sender(pair[0], nursery, Settings())
        pair[1].close()
        sender.write(b"into the void")
        assert sender.phase is GONE
    sender.add_farewell(b"bye")
    await sender.finish()


async def test_what_waits_is_counted(pair: tuple[socket.socket, socket.socket]) -> None:
    async with trio.open_nursery() as nursery:
        sender = Sender(pair[0], nursery, Settings())
        assert sender.waiting == 0
        sender.write(b"x" * 500_000)
        taken = 500_000 - sender.waiting
        assert 0 < taken < 500_000
        sender.write(b"y" * 1_000)
        assert sender.waiting == 501_000 - taken
        sender.give_up()
        assert sender.waiting == 0
