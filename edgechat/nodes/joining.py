"""A node's first words with the engine, before it serves: one key for the private rooms of all."""

from __future__ import annotations

import hiredis
import trio

from edgechat.history.data_folder import DataFolder
from edgechat.nodes.engine_address import EngineAddress
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.engine_socket import open_wire
from edgechat.nodes.errors import EngineError, LinkDown
from edgechat.nodes.identity import agree_on_key, greet

_PATIENCE = 10.0  # seconds for an engine that is starting, too
_PAUSE = 0.2
_LATER = (OSError, hiredis.HiredisError, LinkDown)  # of these it may recover


async def join_nodes(address: EngineAddress, folder: DataFolder, key: bytes) -> bytes:
    """The key of all nodes. A folder without private rooms takes that of the node which came first.

    Raises `EngineError` where this node can't be one of them, or the engine does not answer.
    """
    common = await _ask_patiently(address, key)
    if common != key:
        if folder.has_private_rooms():
            raise EngineError(
                f"The private rooms in {folder.path} have another key than those of the other "
                "nodes: this folder can't be a node of theirs."
            )
        folder.adopt_key(common)
    return common


async def _ask_patiently(address: EngineAddress, key: bytes) -> bytes:
    trouble = "it does not answer in time"
    with trio.move_on_after(_PATIENCE):
        while True:
            try:
                return await _ask(address, key)
            except _LATER as error:
                trouble = str(error) or trouble
            except EngineError as error:
                trouble = str(error)
                break
            await trio.sleep(_PAUSE)
    raise EngineError(f"The engine at {address} can't be used: {trouble}.")


async def _ask(address: EngineAddress, key: bytes) -> bytes:
    wire = await open_wire(address)
    connection = EngineConnection(wire, lambda channel, data: None, lambda: None)
    outcome: list[bytes | Exception] = []

    async def talk() -> None:
        try:
            await greet(connection, address)
            outcome.append(await agree_on_key(connection, key))
        except (EngineError, *_LATER) as error:
            outcome.append(error)
        connection.cut()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk)
        try:
            await connection.run()
        except* _LATER as group:
            outcome.append(_first(group))
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error: Exception | BaseExceptionGroup[Exception] = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
