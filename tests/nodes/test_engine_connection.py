"""When a connection to an engine is given up: its end is in the test, and so is the clock."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.nodes import engine_connection
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.engine_socket import Wire

PING = b"*1\r\n$4\r\nPING\r\n"


@pytest.fixture
def engine() -> Iterator[tuple[EngineConnection, socket.socket]]:
    """A connection, and the engine's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setblocking(False)
        yield EngineConnection(Wire(ours, None), lambda channel, data: None, lambda: None), theirs


async def test_an_answer_that_is_there_is_read_before_it_is_missed(
    engine: tuple[EngineConnection, socket.socket], mock_clock: MockClock, nursery: trio.Nursery
) -> None:
    """As where this process stood still: the answer and the end of its time come in one moment."""
    connection, end = engine
    nursery.start_soon(connection.run)
    for _ in range(30):  # Trio runs tasks in random order
        await wait_all_tasks_blocked()
        assert end.recv(100) == PING
        end.send(b"+PONG\r\n")
        mock_clock.jump(engine_connection._PING)
    await wait_all_tasks_blocked()
    assert connection.ping == engine_connection._PING


async def test_an_engine_that_does_not_answer_is_given_up(
    engine: tuple[EngineConnection, socket.socket], mock_clock: MockClock
) -> None:
    connection, end = engine
    with pytest.RaisesGroup(TimeoutError, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.run)
            await wait_all_tasks_blocked()
            assert end.recv(100) == PING
            mock_clock.jump(engine_connection._PING)
