"""Whose engine this is, and whether rooms can be left to it: asked before a link counts as up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import hiredis

from edgechat.nodes import keys, scripts
from edgechat.nodes.engine_address import EngineAddress
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import EngineError

FORMAT = b"1"
_OLDEST = (6, 2)


class Identity(NamedTuple):
    """One engine process."""

    run_id: str  # another one after each start
    version: str  # as a Redis; Valkey says which one it is compatible to
    has_aof: bool


class Obstacle(NamedTuple):
    """Why an engine can't be used, and what is to be done about it."""

    what: str
    do: str


async def greet(connection: EngineConnection, address: EngineAddress) -> Identity:
    """Introduce this node, and look whom it talks to.

    Raises `EngineError` for an engine that is not to be used, `hiredis.ReplyError` for one that is
    not ready, `LinkDown`.
    """
    info = await introduce(connection, address)
    for obstacle in obstacles(info):
        raise EngineError(f"{obstacle.what}: {obstacle.do}")
    for script in scripts.ALL:
        await connection.request("SCRIPT", "LOAD", script.text)
    return Identity(info["run_id"], info["redis_version"], info.get("aof_enabled") == "1")


async def introduce(connection: EngineConnection, address: EngineAddress) -> dict[str, str]:
    """Say who asks; returns what the engine says of itself (`INFO`). Raises as `greet`."""
    hello = ["HELLO", "3"]
    if address.password:
        hello += ["AUTH", address.user or "default", address.password]
    try:
        await connection.request(*hello, "SETNAME", "edgechat")
        if address.database:
            await connection.request("SELECT", address.database)
        return _parse(await connection.request("INFO"))
    except hiredis.ReplyError as error:
        if str(error).startswith(("LOADING", "MASTERDOWN")):
            raise
        raise EngineError(f"it refuses us: {error}") from None


async def agree_on_key(connection: EngineConnection, own: bytes) -> bytes:
    """The key of all nodes: that of the one which came first. Raises `EngineError`, `LinkDown`."""
    if await _that_of_the_first(connection, keys.FORMAT, FORMAT) != FORMAT:
        raise EngineError("what is in it was written by another version of EdgeChat")
    return await _that_of_the_first(connection, keys.PRIVATE_KEY, own)


async def _that_of_the_first(connection: EngineConnection, place: str, own: bytes) -> bytes:
    """What stands there; `own`, where nothing does. Raises `LinkDown`."""
    while True:
        await connection.request("SET", place, own, "NX")
        found = await connection.request("GET", place)
        if isinstance(found, bytes):
            return found  # else it was emptied in between


def obstacles(info: Mapping[str, str]) -> Iterator[Obstacle]:
    """Why rooms can't be left to the engine that says so of itself."""
    version = info.get("redis_version", "0.0")
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        yield Obstacle(f"its version {version} is too old", "6.2 is the oldest that will do")
    if info.get("cluster_enabled") == "1":
        yield Obstacle("it is a cluster", "this version needs an engine that is none")
    if info.get("role") != "master":
        yield Obstacle("it is a replica, which takes no writes", "name the primary")
    if (policy := info.get("maxmemory_policy")) not in (None, "noeviction"):
        yield Obstacle(
            f"it throws keys away when its memory is full (maxmemory-policy {policy}), and so "
            "messages",
            "set maxmemory-policy noeviction",
        )


def _parse(text: bytes | str) -> dict[str, str]:
    lines = (text.decode() if isinstance(text, bytes) else text).splitlines()
    return {key: value for key, _, value in (line.partition(":") for line in lines) if value}
