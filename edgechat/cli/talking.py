"""What the commands that talk to a server share: its address, a name, and how they end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn

import click

from edgechat.cli.values import Number

if TYPE_CHECKING:
    from edgechat.client import Options

EXIT_STATUSES = "130 and 143: it was stopped by SIGINT (Ctrl-C) or SIGTERM"

LONGEST_PAUSE = 5.0  # seconds between two attempts to reconnect
ID_CHARS = 64  # of a private room's id

Main = Callable[[], Awaitable[int]]


def _check_url(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    from edgechat.client.address import parse_server

    if value is None:
        return None
    try:
        parse_server(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from None
    return value


def url_option(default: str | None = "http://127.0.0.1:8080") -> Callable[[Any], Any]:
    """`--url`. Without a default it may be left out."""
    return click.option(
        "--url",
        metavar="URL",
        default=default,
        show_default=default is not None,
        envvar="EDGECHAT_URL",
        show_envvar=True,
        callback=_check_url,
        help="The server's address, with its path if it has one.",
    )


name_option = click.option(
    "--name",
    metavar="NAME",
    default="",
    envvar="EDGECHAT_NAME",
    show_envvar=True,
    help="The name to go by.  [default: anonymous]",
)


def wait_option(default: float, text: str) -> Callable[[Any], Any]:
    """`--wait`, in seconds."""
    return click.option(
        "--wait",
        type=Number("seconds", float, 0, 10**9),
        metavar="SECONDS",
        default=default,
        show_default=True,
        help=text,
    )


def address_of(url: str, room: str) -> str:
    """A room's whole address. `room` is its name, its private id, or its whole address already.

    Raises `click.UsageError`.
    """
    from edgechat.chat.names import public_room_name
    from edgechat.client.address import parse_room, room_url

    address = room if "://" in room else room_url(url, room)
    try:
        name = parse_room(address).room
        if len(name) != ID_CHARS:  # the server knows which ids it gave out
            public_room_name(name)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    return address


async def check_private(address: str, options: Options) -> None:
    """Raise `Rejected` at once for a private room that this server did not give out.

    To a WebSocket the server says so in the demo's words, which could be a gateway's, too.
    """
    from edgechat.client.address import parse_room
    from edgechat.client.room_api import room_info

    if len(parse_room(address).room) == ID_CHARS:
        await room_info(address, options=options)


def options_of(wait: float) -> Options:
    """The client's options. Few people run these commands at once: they come back sooner."""
    from edgechat.client import Options

    return Options(join_within=wait, backoff_cap=LONGEST_PAUSE)


def run(main: Main) -> NoReturn:
    """Run to the end, to an error or to a signal, and exit with the status of that.

    A `RoomError` is told in one line.
    """
    import trio

    try:
        status = trio.run(_until_signal, main, strict_exception_groups=True)
    except KeyboardInterrupt:  # a second one, while the first is obeyed
        status = 128 + signal.SIGINT
    sys.exit(status)


async def _until_signal(main: Main) -> int:
    import trio

    from edgechat.client.failures import RoomError

    status = 0
    failure: Exception | None = None
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def obey() -> None:
                nonlocal status
                status = 128 + await anext(signals)
                nursery.cancel_scope.cancel()

            nursery.start_soon(obey)
            try:
                status = await main()
            except Exception as error:  # raised below: a nursery would put it into a group
                failure = error
            nursery.cancel_scope.cancel()
    while isinstance(failure, ExceptionGroup):
        failure = failure.exceptions[0]
    if isinstance(failure, RoomError):
        raise click.ClickException(_words(failure)) from None
    if isinstance(failure, OSError) and not isinstance(failure, BrokenPipeError):
        raise click.ClickException(f"{failure.strerror or failure}.") from None
    if failure is not None:
        raise failure
    return status


def _words(failure: Exception) -> str:
    from edgechat.cli.showing import printable
    from edgechat.client.failures import Rejected, Unreachable

    words = printable(str(failure))
    if isinstance(failure, Rejected) and failure.status == 404:
        return f"There is no such room: {printable(failure.text)}."
    return f"The server can't be reached: {words}" if isinstance(failure, Unreachable) else words
