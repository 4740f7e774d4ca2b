"""What a server counts is what was done to it."""

from __future__ import annotations

from pathlib import Path

import trio

from edgechat.history.data_folder import DataFolder
from edgechat.net.listening import listen
from edgechat.server import _Server
from edgechat.settings import Settings

from .wire import Wire, join


async def test_the_sums_are_those_of_what_was_said(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, message_interval=5.0, message_grace=60.0)
    folder, stop = DataFolder(tmp_path), trio.Event()
    key = folder.prepare()
    (socket,) = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    server = _Server(settings, folder, key)

    async def run(*, task_status: trio.TaskStatus[str]) -> None:
        await server.run([socket], stop, task_status)

    with socket:
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            alice, bob = await join(port, "alice"), await join(port, "bob")
            carol = await join(port, "carol", "another")
            for n in range(3):
                await alice.say(f"m{n}")
                await bob.until("message", f"m{n}")
            await carol.say("alone")
            await carol.until("message", "alone")
            found = server.statistics()
            Wire.close_all()
            stop.set()
    folder.release()
    assert (found.members, found.rooms.live, found.rooms.started) == (3, 2, 2)
    assert (found.turn.lines, found.turn.deliveries) == (4, 3 * 2 + 1)
    assert found.turn.refused_batches == 0
    assert found.limiters.live == 1
    assert found.listener.websockets == found.poller.watched == 3
    assert found.listener.accepted == 3
