"""`edgechat serve`."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any, NoReturn, TypeVar

import click

from edgechat.cli.linux import need_linux
from edgechat.cli.options import OPTIONS
from edgechat.cli.sections import Sectioned
from edgechat.settings import Settings

Error = TypeVar("Error", bound=Exception)

_EXAMPLES = """Examples:

\b
  edgechat serve
      A chat for this machine, on http://127.0.0.1:8080/
  edgechat serve --host 0.0.0.0 --host :: --data /srv/chat
      A chat for all who can reach this machine
  edgechat serve --trusted-proxy 127.0.0.1 --public-host chat.example.org
      A chat behind a proxy on this machine, which speaks TLS

Each option is a variable too: --max-rooms is EDGECHAT_MAX_ROOMS. Several values of one are
parted by blanks.
"""


@click.command(cls=Sectioned, sections=OPTIONS, epilog=_EXAMPLES)
def serve(**options: Any) -> None:
    """Serve chat rooms until SIGINT or SIGTERM."""
    need_linux("serve")
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
                    click.echo(
                        f"EdgeChat is at {address} with its histories in {settings.data.resolve()} "
                        "(stop it with Ctrl-C)"
                    )
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
