"""`edgechat serve`."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable
from math import isnan
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from edgechat.settings import Settings

Command = TypeVar("Command", bound=Callable[..., None])
Error = TypeVar("Error", bound=Exception)


def _option(name: str, kind: Any, text: str) -> Callable[[Command], Command]:
    """An option whose default is the setting's, and whose variable is its own name."""
    field = name.removeprefix("--").replace("-", "_")
    return click.option(
        name,
        type=kind,
        default=getattr(Settings(), field),
        show_default=True,
        envvar=f"EDGECHAT_{field.upper()}",
        show_envvar=True,
        help=text,
    )


class _Seconds(click.FloatRange):
    """Which `nan` is not: it passes every comparison that a range makes."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        seconds: float = super().convert(value, param, ctx)
        if isnan(seconds):
            self.fail("nan is no number of seconds.", param, ctx)
        return seconds


_SECONDS = _Seconds(min=0, max=1e9)
_COUNT = click.IntRange(min=0, max=10**9)


@click.command()
@_option("--host", str, "The address to listen on; 0.0.0.0 lets other machines in.")
@_option("--port", click.IntRange(0, 65_535), "The port; 0 picks a free one and prints it.")
@_option(
    "--data",
    click.Path(file_okay=False, path_type=Path),
    "The folder for histories and the server's key; made if it is not there.",
)
@_option(
    "--durability",
    click.Choice(["os", "disk"]),
    "What a message has survived before anybody sees it: the end of the process, or of the power.",
)
@_option(
    "--message-interval",
    _SECONDS,
    "Seconds for each message of one address, over all rooms; 0 turns the limiter off.",
)
@_option("--message-grace", _SECONDS, "Seconds by which an address may run ahead in a burst.")
@_option("--max-message-chars", click.IntRange(1, 100_000), "Characters in one message.")
@_option("--backlog", click.IntRange(0, 1_000), "Lines of history that a newcomer is shown.")
@_option("--room-idle", _SECONDS, "Seconds after which an empty room is let go.")
@_option("--limiter-idle", _SECONDS, "Seconds after which an unused limiter is let go.")
@_option(
    "--max-connections-per-address",
    _COUNT,
    "Connections one address may have open; 0 for any. This machine's own are not counted.",
)
@_option(
    "--max-opened-per-minute",
    _COUNT,
    "Connections one address may open in a minute; 0 for any.",
)
@click.option(
    "--allow-origin",
    "allowed_origins",
    multiple=True,
    envvar="EDGECHAT_ALLOW_ORIGIN",
    show_envvar=True,
    help="Another site (https://example.org) whose pages may open a chat here. May be repeated.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    envvar="EDGECHAT_TRUSTED_PROXY",
    show_envvar=True,
    help="An address or network whose word for a client's address is taken. May be repeated.",
)
@_option(
    "--proxy-header",
    click.Choice(["X-Forwarded-For", "Forwarded"], case_sensitive=False),
    "The header in which a trusted proxy gives its word: the other may be a client's own.",
)
def serve(**options: Any) -> None:
    """Serve chat rooms until SIGINT or SIGTERM."""
    from ipaddress import ip_network

    for proxy in options["trusted_proxies"]:
        try:
            ip_network(proxy, strict=False)
        except ValueError:
            raise click.BadParameter(f"{proxy!r} is no address or network.") from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    _run_server(Settings(**options))


def _run_server(settings: Settings) -> None:
    gc.disable()  # nothing that is imported becomes garbage: looking for it takes 30 ms
    import trio

    from edgechat.history.data_folder import DataFolderError
    from edgechat.net.listening import ListenError
    from edgechat.server import serve

    async def run() -> None:
        stop = trio.Event()

        async def obey(signals: AsyncIterator[int]) -> None:
            async for _ in signals:  # to the last: one that nobody took would end the process
                stop.set()

        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with trio.open_nursery() as waiting:
                waiting.start_soon(obey, signals)
                async with trio.open_nursery() as nursery:
                    address = await nursery.start(serve, settings, stop)
                    _collect_seldom()
                    click.echo(f"EdgeChat is at {address} (stop it with Ctrl-C)")
                waiting.cancel_scope.cancel()

    try:
        trio.run(run, strict_exception_groups=True)
    except* (DataFolderError, ListenError) as group:
        _give_up(str(_first(group)))


def _collect_seldom() -> None:
    """A message makes few objects and frees them by itself: 9% less CPU in small rooms.

    `docs/decisions/0005-garbage.md`.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def _first(group: ExceptionGroup[Error]) -> Error:
    """What was raised in some nursery."""
    error: Error | ExceptionGroup[Error] = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _give_up(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
