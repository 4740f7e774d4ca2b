"""`edgechat send`."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import click

from edgechat.cli.counter import Counter
from edgechat.cli.showing import note
from edgechat.cli.talking import (
    EXIT_STATUSES,
    address_of,
    check_private,
    name_option,
    options_of,
    run,
    url_option,
    wait_option,
)

if TYPE_CHECKING:  # a start should be quick
    from edgechat.client import Room

_LONGEST_KEY = 48  # characters, so that a number fits behind it: an id has at most 64
_LONGEST_LINE = 1_048_576  # bytes: no server takes more
_BLOCK = 65_536

_EXAMPLES = f"""Examples:

\b
  edgechat send ops "deploy done" --name ci
  journalctl -f -u nginx | edgechat send logs --name nginx
  git log -1 | edgechat send dev --whole
  edgechat send ops --id backup-2026-01-31 "backup done"
      Stored once, however often it is run

Exit status: 0 all is stored. 1 something is not, and a line says what. 2 an argument is wrong.
{EXIT_STATUSES}.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("room")
@click.argument("text", required=False)
@url_option()
@name_option
@wait_option(60, "How long to wait for a server that is away, before giving up.")
@click.option(
    "--id",
    "key",
    metavar="KEY",
    help="Say this once: what has the same KEY (for standard input: and the same line number) is "
    "not stored again. 1 to 48 printable ASCII characters.",
)
@click.option("--whole", is_flag=True, help="All of standard input is one message.")
def send(
    room: str, text: str | None, url: str, name: str, wait: float, key: str | None, whole: bool
) -> None:
    """Say TEXT, or each line of standard input, in ROOM.

    Lines are stored in order, each once, also if the server is restarted meanwhile. Limits of the
    server are waited for. Blank lines are left out. A line that the server refuses is reported
    with its number, and the next ones are sent.
    """
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and _is_plain(key)):
        raise click.UsageError("--id takes 1 to 48 printable ASCII characters.")
    if whole and text is not None:
        raise click.UsageError("--whole is for standard input, and there is a TEXT.")
    run(partial(_send, address_of(url, room), name, text, key, whole, wait))


def _is_plain(key: str) -> bool:
    return key.isascii() and key.isprintable()


async def _send(
    address: str, name: str, text: str | None, key: str | None, whole: bool, wait: float
) -> int:
    import trio

    from edgechat.client import open_room

    options = options_of(wait)
    await check_private(address, options)
    async with (
        open_room(address, name, backlog=0, options=options) as room,
        trio.open_nursery() as nursery,
    ):
        sender = _Sender(room, key, wait)
        nursery.start_soon(sender.watch)
        if text is not None:
            await sender.say(text, 0)
        elif whole:
            await sender.say((await _everything()).rstrip("\n"), 0)
        else:
            await sender.say_lines()
        nursery.cancel_scope.cancel()
    return 1 if sender.refused else 0


class _Sender:
    """Says one thing after the other, and gives up when the server is away for too long."""

    def __init__(self, room: Room, key: str | None, wait: float) -> None:
        import trio

        self._room = room
        self._key = key
        self._wait = wait
        self._patience = trio.CancelScope()
        self.refused = 0

    async def say_lines(self) -> None:
        number = 0
        with Counter("lines sent") as counter:
            async for line in _lines():
                number += 1
                if line.strip():
                    await self.say(line, number)
                    counter.add()

    async def say(self, text: str, number: int) -> None:
        """Say the line with this number, 0 for the only one."""
        import trio

        from edgechat.client import Refused

        id = self._key if self._key is None or not number else f"{self._key}-{number}"
        where = f"line {number}" if number else "the message"
        self._patience = trio.CancelScope(deadline=trio.current_time() + self._wait)
        try:
            with self._patience:
                await self._room.say(text, id=id)
        except Refused as refused:
            self.refused += 1
            note(f"{where} is not sent: {refused.text}")
        except ValueError as error:
            self.refused += 1
            note(f"{where} is not sent: {error}")
        if self._patience.cancelled_caught:
            words = f"The server was away for {self._wait:g} s: {where} may be stored or not"
            raise click.ClickException(f"{words}, and what comes after it is not.")

    async def watch(self) -> None:
        """Report what keeps us waiting, and wait for it."""
        import trio

        from edgechat.client import Delayed, Disconnected, Ready

        is_away = False
        async for event in self._room:
            if isinstance(event, Delayed):
                self._patience.deadline = trio.current_time() + event.retry_in + self._wait
            elif isinstance(event, Disconnected):
                is_away = True
                note(f"The server is away ({event.text}): waiting for it.")
            elif isinstance(event, Ready) and is_away:
                is_away = False
                note("The server is back.")


async def _lines() -> AsyncIterator[str]:
    """The lines of standard input, as they come. What is not UTF-8 is replaced."""
    rest = b""
    while block := await _read():
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode(errors="replace")
        if len(rest) > _LONGEST_LINE:
            raise click.ClickException("A line of standard input is longer than 1 MiB.")
    if rest:
        yield rest.decode(errors="replace")


async def _everything() -> str:
    data = b""
    while block := await _read():
        data += block
        if len(data) > _LONGEST_LINE:
            raise click.ClickException("Standard input is longer than 1 MiB.")
    return data.decode(errors="replace")


async def _read() -> bytes:
    import trio

    # Not `sys.stdin.buffer.read1`: a thread that waits in it holds a lock which the end of the
    # process needs.
    fd = sys.stdin.fileno()
    return await trio.to_thread.run_sync(os.read, fd, _BLOCK, abandon_on_cancel=True)
