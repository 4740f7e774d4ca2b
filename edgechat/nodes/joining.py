"""A node's first words with the engine, before it serves: one key for the private rooms of all."""

from __future__ import annotations

import trio

from edgechat.history.data_folder import DataFolder
from edgechat.nodes.engine_address import EngineAddress
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import EngineError
from edgechat.nodes.identity import agree_on_key, greet
from edgechat.nodes.visit import TROUBLES, visit

_PATIENCE = 10.0  # seconds for an engine that is starting, too
_PAUSE = 0.2


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
            except TROUBLES as error:
                trouble = str(error) or trouble
            except EngineError as error:
                trouble = str(error)
                break
            await trio.sleep(_PAUSE)
    raise EngineError(f"The engine at {address} can't be used: {trouble}.")


async def _ask(address: EngineAddress, key: bytes) -> bytes:
    async def talk(connection: EngineConnection) -> bytes:
        await greet(connection, address)
        return await agree_on_key(connection, key)

    return await visit(address, talk)
