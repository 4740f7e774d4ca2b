"""What a worker had not read when it ended: a model of the channel that is cut at any place."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from edgechat.net.connection_limits import ConnectionLimits
from edgechat.settings import Settings
from edgechat.workers.channel import Channel
from edgechat.workers.held import Held
from edgechat.workers.messages import MOST_BYTES, Granted, Handed, ToFront, ToWorker, Yours
from edgechat.workers.unread import take_back
from tests.serving.running import open_files

TEXT = b"GET /api/room/r%d HTTP/1.1\r\nHost: h\r\n\r\n"


@dataclass
class Cut:
    """A front's channel, of which a worker reads so many messages, and then is gone."""

    limits: ConnectionLimits = field(default_factory=lambda: ConnectionLimits(Settings()))
    clients: dict[int, socket.socket] = field(default_factory=dict)
    served: set[int] = field(default_factory=set)  # by the worker

    def __post_init__(self) -> None:
        self.held = Held(self.limits.leave)
        front, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.front = Channel(front, ToFront, MOST_BYTES)
        self.worker = Channel(its_end.dup(), ToWorker, MOST_BYTES)
        self.its_end = Channel(its_end, ToWorker, MOST_BYTES)
        self.in_worker: list[socket.socket] = []

    def hand_over(self, number: int, *, page: bool, with_descriptor: bool = True) -> None:
        ours, theirs = socket.socketpair()
        self.clients[number] = ours
        address = f"192.0.2.{number % 3}"
        self.limits.enter(address, 0.0)
        page = page and self.limits.move_to_page(address, 0.0)
        handed = Handed(socket.AF_UNIX, address, address, TEXT % number, b"%d" % number, page)
        with theirs:
            assert self.front.offer(handed, theirs.fileno() if with_descriptor else None)
        self.held.add(address, page=page)

    def read(self) -> None:
        received = self.worker.receive_nowait()
        if received is None or received[1] is None:
            return
        self.served.add(int(received[0].rest))
        self.in_worker.append(socket.socket(fileno=received[1]))

    def end(self) -> None:
        """The worker is killed: all that it has is closed."""
        for connection in self.in_worker:
            connection.close()
        self.worker.close()

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.front.close()
        self.its_end.close()


@pytest.fixture
async def cut() -> AsyncIterator[Cut]:
    before = open_files()
    cut = Cut()
    yield cut
    cut.close()
    assert open_files() == before


@pytest.mark.parametrize("seed", range(30))
async def test_each_was_read_by_one_or_is_taken_back(cut: Cut, seed: int) -> None:
    """In order, with its own connection, and counted as before."""
    chance = random.Random(seed)
    for number in range(chance.randrange(40)):
        if chance.random() < 0.3:
            assert cut.front.offer(
                Yours() if chance.random() < 0.5 else Granted({"192.0.2.1": 1.0})
            )
        cut.hand_over(number, page=chance.random() < 0.3)
        for _ in range(chance.randrange(3)):
            cut.read()
    cut.end()
    back = take_back(cut.its_end, cut.held)
    numbers = [int(head.rest) for _, head in back]
    assert numbers == sorted(cut.clients.keys() - cut.served)
    assert len(cut.held) == len(cut.served)
    cut.held.end_all()
    assert cut.limits.statistics().open == len(back)
    for (caller, head), number in zip(back, numbers, strict=True):
        assert head.text == TEXT % number
        assert (caller.peer, caller.counted) == (f"192.0.2.{number % 3}",) * 2
        with caller.connection as connection:
            connection.send(b"%d" % number)
        assert int(cut.clients[number].recv(9)) == number
        cut.limits.leave(caller.counted, page=caller.for_page)
    assert (cut.limits.statistics().open, cut.limits.statistics().addresses) == (0, 0)
    for number in cut.served:
        assert cut.clients[number].recv(9) == b"", "a connection that was served goes on"


async def test_one_without_its_descriptor_ends(cut: Cut, caplog: pytest.LogCaptureFixture) -> None:
    """As it does in a worker that has none left."""
    cut.hand_over(1, page=False, with_descriptor=False)
    cut.hand_over(2, page=False)
    cut.end()
    with ExitStack() as stack:
        back = take_back(cut.its_end, cut.held)
        for caller, _ in back:
            stack.enter_context(caller.connection)
        assert [int(head.rest) for _, head in back] == [2]
    assert len(cut.held) == 1
    assert "which is lost" in caplog.text
