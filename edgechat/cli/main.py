"""`edgechat`. Every option of `serve` is also a variable `EDGECHAT_<NAME>`.

Exit status: 0 all is well; 1 it can't be done (one line says why); 2 an argument is wrong.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click
from click.core import ParameterSource

from edgechat import __version__
from edgechat.cli.backup import backup
from edgechat.cli.chat import chat
from edgechat.cli.config import config
from edgechat.cli.doctor import doctor
from edgechat.cli.environment import settings_of, warnings_of
from edgechat.cli.export import export
from edgechat.cli.grep import grep
from edgechat.cli.recover import recover
from edgechat.cli.replay import replay
from edgechat.cli.rooms import rooms
from edgechat.cli.send import send
from edgechat.cli.serve import serve
from edgechat.cli.tail import tail
from edgechat.cli.verify import verify


class _OneLine(click.Group):
    """Says what is wrong with the arguments in one line: the usage is a `--help` away."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and exit with its status."""
        try:
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            click.echo(f"Error: {error.format_message()}{_source(error)}", err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(1)


def _source(error: click.ClickException) -> str:
    """The variable that a wrong value came from: nobody looks for it there."""
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None or param is None:
        return ""
    is_variable = context.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT
    return f" It comes from the variable {param.envvar}." if is_variable else ""


_EXAMPLES = """\b
To begin:
  edgechat serve                  then open http://127.0.0.1:8080/
  edgechat serve --help           every option, with examples
  edgechat config                 what holds, and where it comes from
  edgechat send lobby hello       say something in the room lobby
  edgechat tail lobby -f          read along
  edgechat verify --data data     is every history whole?
"""


@click.group(
    cls=_OneLine, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="edgechat")
def main() -> None:
    """Live chat rooms that people own: no account, no database, history in plain files."""
    for line in warnings_of(os.environ, settings_of(main)):
        click.echo(f"Warning: {line}", err=True)


for _command in (
    *(serve, config, chat, send, tail, rooms, export, grep),
    *(backup, verify, recover, replay, doctor),
):
    main.add_command(_command)
