"""An engine that nodes share, looked at as a node of it would."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from edgechat.cli.finding import Finding, error, ok, warning
from edgechat.cli.rooms import size_words

if TYPE_CHECKING:
    from edgechat.nodes.engine_connection import EngineConnection

_WAIT = 10.0  # seconds
_CLOCK = 5.0  # seconds by which a clock may be off
_SLOW = 0.01  # seconds for an answer
_PINGS = 5
_NEARLY = 0.8  # of its memory
_LEASE = 5  # seconds in which a node that lives says so
_INSTALL = "pip install 'edgechat[nodes]'"


async def check_engine(url: str) -> list[Finding]:
    """All that can be seen from here. It changes nothing."""
    try:
        import hiredis  # noqa: F401 - whether it is there
    except ImportError:
        return [error("The package hiredis is missing, and nodes need it.", _INSTALL)]
    import trio

    from edgechat.nodes.engine_address import parse_address
    from edgechat.nodes.errors import EngineError
    from edgechat.nodes.visit import TROUBLES, visit

    address = parse_address(url)
    found: list[Finding] = []

    async def talk(connection: EngineConnection) -> None:
        from edgechat.nodes.identity import introduce

        info = await introduce(connection, address)
        found.append(await _answers(str(address), info, connection))
        found.extend(_look(info))
        found.extend([await _syncs(info, connection), await _clock(connection)])
        found.append(await _nodes(connection))

    try:
        with trio.fail_after(_WAIT):
            await visit(address, talk)
    except EngineError as problem:
        words = "Put its password into the address, redis://:password@host, or its user's too."
        found.append(error(f"The engine at {address}: {problem}.", words))
    except (*TROUBLES, trio.TooSlowError) as problem:
        what = "it takes too long" if isinstance(problem, trio.TooSlowError) else problem
        words = "Does it run? Is the address right? Does it listen where this machine can reach it?"
        found.append(error(f"No answer from the engine at {address}: {what}.", words))
    return found


async def _answers(address: str, info: Mapping[str, str], connection: EngineConnection) -> Finding:
    """That it does, what it is, and how soon."""
    times = []
    for _ in range(_PINGS):
        began = time.monotonic()
        await connection.request("PING")
        times.append(time.monotonic() - began)
    took = sorted(times)[_PINGS // 2]
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version", info.get("redis_version", "?"))
    words = f"The engine at {address} is {name} {version}, and answers within {took * 1e3:.1f} ms"
    if took > _SLOW:
        return warning(f"{words}.", "Bring it nearer to the nodes: each message waits so long.")
    return ok(f"{words}.")


def _look(info: Mapping[str, str]) -> Iterator[Finding]:
    """What it says of itself."""
    from edgechat.nodes.identity import obstacles

    found = list(obstacles(info))
    for obstacle in found:
        yield error(f"No node starts with it: {obstacle.what}.", f"{obstacle.do}.")
    if not found:
        yield ok("Its version, its role and its eviction policy are right for nodes.")
    yield _memory(info)


def _memory(info: Mapping[str, str]) -> Finding:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    has = f"It uses {size_words(used)} of memory"
    if not most:
        words = "Set maxmemory below what its machine can spare: at the limit it refuses messages, "
        words += "and without one the system ends it when memory is short."
        return warning(f"{has}, and has no limit for it.", words)
    has = f"{has}, and may use {size_words(most)}"
    if used > _NEARLY * most:
        words = "Raise maxmemory: at the limit every message is refused."
        return warning(f"{has}.", words)
    return ok(f"{has}.")


async def _syncs(info: Mapping[str, str], connection: EngineConnection) -> Finding:
    """Whether what it has been told outlives it."""
    import hiredis

    if info.get("aof_enabled") != "1":
        words = "CONFIG SET appendonly yes, and the same in its configuration."
        return warning("It has no append-only file: if it ends, the last messages are lost.", words)
    if "err" in (info.get("aof_last_write_status"), info.get("aof_last_bgrewrite_status")):
        return error("It can't write its append-only file.", "Look into its log; is its disk full?")
    try:
        reply = await connection.request("CONFIG", "GET", "appendfsync")
        how = dict(reply)[b"appendfsync"].decode()
    except (hiredis.ReplyError, KeyError):
        return ok("It has an append-only file.")
    if how == "no":
        words = "CONFIG SET appendfsync everysec, and the same in its configuration."
        return warning("It leaves it to the system when its append-only file is synced.", words)
    return ok(f"It syncs its append-only file (appendfsync {how}).")


async def _clock(connection: EngineConnection) -> Finding:
    seconds, microseconds = await connection.request("TIME")
    ahead = int(seconds) + int(microseconds) / 1e6 - time.time()
    if abs(ahead) > _CLOCK:
        way = "ahead of" if ahead > 0 else "behind"
        words = "Set the one that is wrong by NTP. Nodes live by the engine's clock, and messages "
        words += "bear the nodes'."
        return warning(f"Its clock is {abs(ahead):.0f} s {way} this one.", words)
    return ok("Its clock agrees with this one.")


async def _nodes(connection: EngineConnection) -> Finding:
    """Whose it is."""
    from edgechat.nodes import keys
    from edgechat.nodes.identity import FORMAT

    form = await connection.request("GET", keys.FORMAT)
    if form not in (None, FORMAT):
        words = "Use the version of EdgeChat that its nodes have, or another engine."
        return error("What is in it was written by another version of EdgeChat.", words)
    now = int((await connection.request("TIME"))[0])
    living = await connection.request("ZCOUNT", keys.NODES, now - _LEASE, "+inf")
    rooms = await connection.request("ZCARD", keys.TOUCHED)
    nodes = "One node serves" if living == 1 else f"{living or 'No'} nodes serve"
    return ok(f"{nodes} from it now; it knows {rooms:,} rooms.")
