"""`edgechat serve`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, NoReturn, TypeVar

import click

from edgechat import logs
from edgechat.cli.linux import need_linux
from edgechat.cli.options import OPTIONS
from edgechat.cli.reload import Reload
from edgechat.cli.run_options import RUN_OPTIONS
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
parted by blanks. `edgechat config` prints what holds.
"""


@click.command(cls=Sectioned, sections={**OPTIONS, **RUN_OPTIONS}, epilog=_EXAMPLES)
@click.pass_context
def serve(ctx: click.Context, /, **options: Any) -> None:
    """Serve chat rooms until SIGINT or SIGTERM."""
    need_linux("serve")
    settings = _settings(options)
    if text := _why_not_with_engine(settings):
        raise click.UsageError(text, ctx)
    command = ctx.command
    assert isinstance(command, Sectioned)
    reload = Reload(settings, lambda: _settings(command.parse_again(ctx)))
    _run_server(settings, options["log"], reload if options["config"] else None)


def _why_not_with_engine(settings: Settings) -> str:
    """What does not go together with `--engine`, in words; nothing where all does."""
    if settings.replicas and not settings.engine:
        return "--replicas goes with --engine: they are that engine's."
    if settings.engine and settings.durability == "disk":
        return (
            "--engine goes without --durability disk: the engine decides what a power loss costs."
        )
    return ""


def _settings(options: Mapping[str, Any]) -> Settings:
    names = {field.name for field in fields(Settings)}
    return Settings(**{name: value for name, value in options.items() if name in names})


def _run_server(
    settings: Settings, form: logs.Form, reload: Callable[[], Settings | None] | None
) -> None:
    logs.set_up(form, sys.stderr)
    gc.disable()  # nothing that is imported becomes garbage: looking for it takes 30 ms
    import trio

    from edgechat.cli.server_run import ServerRun
    from edgechat.history.data_folder import DataFolderError
    from edgechat.net.listening import ListenError
    from edgechat.nodes.errors import EngineError
    from edgechat.server import serve
    from edgechat.webhooks.signing import BadSecret
    from edgechat.workers.error import WorkerError

    if settings.workers > 1:
        from edgechat.workers import front

        serve = partial(front.serve, log_form=form)
        reload = reload or (lambda: settings)  # SIGHUP means fresh workers in any case

    try:
        trio.run(ServerRun(settings, serve, reload).run, strict_exception_groups=True)
    except* (BadSecret, DataFolderError, EngineError, ListenError, WorkerError) as group:
        _give_up(str(_first(group)))


def _first(group: ExceptionGroup[Error]) -> Error:
    """What was raised in some nursery."""
    error: Error | ExceptionGroup[Error] = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _give_up(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
