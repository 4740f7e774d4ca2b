"""`edgechat tail`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from edgechat.cli.follower import Follower
from edgechat.cli.showing import wants_colour
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
from edgechat.cli.values import Number
from edgechat.cli.writer import JsonWriter, TextWriter, Writer

if TYPE_CHECKING:
    from edgechat.client import Options

_JOIN_LINES = 1_000  # the most that a join brings

_EXAMPLES = f"""Examples:

\b
  edgechat tail lobby                         the last 10 messages
  edgechat tail lobby -n 0 -f                 what is said from now on
  edgechat tail ops -f --json | jq -r .message

With --json each line is the one in the room's file. Beside them there are {{"seq":7,"kind":"lost"}}
for a line that the server can't read, and {{"reset":"forked"}} where another history begins.

Exit status: 0 the lines are shown. 1 they can't be, and one line says why. 2 an argument is
wrong. {EXIT_STATUSES}.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("room")
@click.option(
    "-n",
    "--lines",
    "count",
    type=Number("lines", int, 0, 10**9),
    metavar="N",
    default=10,
    show_default=True,
    help="How many of the last messages to show first.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said, until stopped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@url_option()
@name_option
@wait_option(10, "How long to wait for the server at the start. Afterwards -f waits for ever.")
def tail(
    room: str, count: int, follow: bool, as_json: bool, url: str, name: str, wait: float
) -> None:
    """Show the last messages of a room, and with -f those to come.

    With -f you are a member of the room, with a name like the others. Restarts of the server leave
    no gap and repeat nothing; if another history took the room's place, a line says so.
    """
    address = address_of(url, room)
    writer: Writer = JsonWriter() if as_json else TextWriter(wants_colour(sys.stdout))
    options = options_of(wait)
    if follow:
        run(partial(_follow, address, name, count, writer, options))
    run(partial(_show, address, count, writer, options))


async def _show(address: str, count: int, writer: Writer, options: Options) -> int:
    from edgechat.client.room_api import past

    lines = [line async for line in past(address, count, options=options)]
    for line in reversed(lines):
        writer.line(line)
    return 0


async def _follow(address: str, name: str, count: int, writer: Writer, options: Options) -> int:
    from edgechat.client import open_room

    await check_private(address, options)
    backlog = min(count, _JOIN_LINES)
    async with open_room(address, name, backlog=backlog, options=options) as room:
        follower = Follower(room, writer, older=count - backlog)
        async for event in room:
            await follower.take(event)
    return 0
