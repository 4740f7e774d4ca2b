"""The channel between the front and a worker: order, room, loss."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from edgechat.settings import Settings
from edgechat.workers.channel import BadMessage, Channel, ChannelClosed
from edgechat.workers.messages import (
    FORMAT,
    MOST_BYTES,
    Begin,
    Granted,
    Handed,
    Left,
    Message,
    Stop,
    ToFront,
    ToWorker,
    encode,
)
from tests.serving.running import open_files

MOST = MOST_BYTES
Ends = tuple[Channel, Channel]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    """The front's and the worker's."""
    front, worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channels = Channel(front, ToFront, MOST), Channel(worker, ToWorker, MOST)
    yield channels
    for each in channels:
        each.close()


def handed(number: int, size: int = 500) -> Handed:
    return Handed(socket.AF_INET, f"192.0.2.{number % 250}", "", b"%d" % number, b"x" * size)


async def receive_all(channel: Channel, count: int) -> list[int]:
    """The numbers of so many that were handed over."""
    numbers = []
    for _ in range(count):
        message, descriptor = await channel.receive()
        numbers.append(int(message.text))
        if descriptor is not None:
            os.close(descriptor)
    return numbers


async def test_what_is_said_comes_whole(ends: Ends) -> None:
    front, worker = ends
    settings = Settings(workers=3, trusted_proxies=("10.0.0.0/8",), message_interval=0.5)
    sent: list[Message] = [
        Begin(FORMAT, 1, 3, bytes(range(32)), settings, "json", True),
        Handed(socket.AF_INET6, "::1", "2001:db8::/64", os.urandom(16_384), os.urandom(16_384)),
        Granted({"192.0.2.1": 17.25}),
        Stop(),
    ]
    for message in sent:
        await front.send(message)
    assert [await worker.receive() for _ in sent] == [(message, None) for message in sent]
    assert worker.receive_nowait() is None
    await worker.send(Left({"": 2, "192.0.2.1": 1}))
    assert await front.receive() == (Left({"": 2, "192.0.2.1": 1}), None)


def test_what_the_front_has_read_fits_into_one() -> None:
    most = Settings().head_bytes
    whole = Handed(socket.AF_INET6, "2001:db8::1", "2001:db8::/64", bytes(most), bytes(most))
    assert len(encode(whole)) < MOST_BYTES


async def test_a_connection_goes_along_and_is_not_inherited(ends: Ends) -> None:
    front, worker = ends
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            await front.send(handed(1), theirs.fileno())
        _, descriptor = await worker.receive()
        assert descriptor is not None
        assert not os.get_inheritable(descriptor)
        os.write(descriptor, b"it is open")
        os.close(descriptor)
        assert ours.recv(99) == b"it is open"
        assert ours.recv(99) == b"", "somebody else has it open too"


async def test_a_full_one_waits_and_keeps_the_order(ends: Ends) -> None:
    """Bounded by the kernel: what does not fit waits in the front, one behind the other."""
    front, worker = ends
    count = 2_000

    async def send(number: int, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await front.send(handed(number))

    async with trio.open_nursery() as nursery:
        for number in range(count):
            await nursery.start(send, number)
        await wait_all_tasks_blocked()
        assert 0 < len(nursery.child_tasks) < count - 50
        assert await receive_all(worker, count) == list(range(count))


async def test_who_gives_up_waiting_has_sent_nothing(ends: Ends) -> None:
    front, worker = ends
    sent = 0
    with trio.move_on_after(0.1):
        while True:
            await front.send(handed(sent))
            sent += 1
    assert await receive_all(worker, sent) == list(range(sent))
    assert worker.receive_nowait() is None


async def test_nothing_follows_the_last_message(ends: Ends) -> None:
    """Those that wait for room when it is decided are told, and go elsewhere."""
    front, worker = ends
    refused: list[int] = []

    async def send(number: int) -> None:
        try:
            await front.send(handed(number))
        except ChannelClosed:
            refused.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(1_000):
            nursery.start_soon(send, number)
        await wait_all_tasks_blocked()
        nursery.start_soon(front.finish, Stop())
        await wait_all_tasks_blocked()
        with pytest.raises(ChannelClosed):
            await front.send(handed(-1))
        with pytest.raises(ChannelClosed):
            front.offer(handed(-1))
        came = []
        while not isinstance((message := (await worker.receive())[0]), Stop):
            came.append(int(message.text))
    assert worker.receive_nowait() is None
    assert sorted(came + refused) == list(range(1_000))
    assert refused


async def test_what_is_offered_to_a_full_one_is_dropped(ends: Ends) -> None:
    front, _ = ends
    taken = 0
    while front.offer(handed(taken)):
        taken += 1
    assert 50 < taken < 5_000


async def test_too_many_descriptors_on_their_way(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """unix(7), ETOOMANYREFS: it is waited for, and not asked again at once."""
    front, worker = ends
    real, refused = socket.send_fds, 0

    def send_fds(*args: Any) -> int:
        nonlocal refused
        if refused < 3:
            refused += 1
            raise OSError(errno.ETOOMANYREFS, "Too many references")
        return real(*args)

    monkeypatch.setattr(socket, "send_fds", send_fds)
    began = trio.current_time()
    await front.send(handed(7))
    assert await receive_all(worker, 1) == [7]
    assert trio.current_time() - began >= 0.02


async def test_the_other_side_is_gone(ends: Ends) -> None:
    front, worker = ends
    await front.send(handed(1))
    worker.close()
    for use in (front.receive, lambda: front.send(handed(2)), lambda: front.finish(Stop())):
        with pytest.raises(ChannelClosed):
            await use()


async def test_it_goes_while_it_is_waited_for(ends: Ends) -> None:
    front, worker = ends

    async def closed(wait: Any) -> None:
        with pytest.raises(ChannelClosed):
            await wait()

    while front.offer(handed(1)):
        pass
    async with trio.open_nursery() as nursery:
        nursery.start_soon(closed, front.receive)
        nursery.start_soon(closed, lambda: front.send(handed(2)))
        await wait_all_tasks_blocked()
        worker.close()


@pytest.mark.parametrize("data", [b"\xc1", b"\x93\x63\x01\x02", b"x" * (MOST + 1)])
async def test_what_makes_no_sense(data: bytes) -> None:
    front, raw = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MOST)
    channel = Channel(front, ToFront, len(data) - 1 if len(data) > MOST else MOST)
    with ExitStack() as stack:
        stack.enter_context(raw)
        stack.callback(channel.close)
        before = open_files()
        try:
            socket.send_fds(raw, [data], [raw.fileno()])
        except OSError as error:
            assert error.errno == errno.EMSGSIZE  # noqa: PT017 - it can't even be sent
            return
        with pytest.raises(BadMessage):
            await channel.receive()
        assert open_files() == before
