"""One short talk with an engine, over a connection of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import hiredis
import trio

from edgechat.nodes.engine_address import EngineAddress
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.engine_socket import open_wire
from edgechat.nodes.errors import EngineError, LinkDown

Result = TypeVar("Result")

TROUBLES = (OSError, hiredis.HiredisError, LinkDown)  # that may pass


async def visit(
    address: EngineAddress, talk: Callable[[EngineConnection], Awaitable[Result]]
) -> Result:
    """What `talk` returns. Raises `TROUBLES`, `EngineError`; it does not wait for them to pass."""
    wire = await open_wire(address)
    connection = EngineConnection(wire, lambda channel, data: None, lambda: None)
    results: list[Result] = []
    failures: list[Exception] = []

    async def talk_and_leave() -> None:
        try:
            results.append(await talk(connection))
        except (EngineError, *TROUBLES) as error:
            failures.append(error)
        connection.cut()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk_and_leave)
        try:
            await connection.run()
        except* TROUBLES as group:
            failures.insert(0, _first(group))
    if not results:
        raise failures[0]
    return results[0]


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error: Exception | BaseExceptionGroup[Exception] = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
