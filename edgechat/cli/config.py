"""`edgechat config`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from edgechat.cli.config_file import ConfigFile, is_setting, name_of
from edgechat.cli.options import OPTIONS
from edgechat.cli.run_options import RUN_OPTIONS
from edgechat.cli.sections import Sectioned

_JSON = click.Option(["--json", "as_json"], is_flag=True, help="Print an object of all settings.")

_EXAMPLES = """Examples:

\b
  edgechat config --config edgechat.toml
      Is the file right, and what holds?
  edgechat config > edgechat.toml
      A file of all settings to begin with

Exit status: 0 all settings are right. 2 one is wrong, and one line says which.
"""


@click.command(
    cls=Sectioned,
    sections={**OPTIONS, **RUN_OPTIONS, "How it is printed": [_JSON]},
    epilog=_EXAMPLES,
)
@click.pass_context
def config(ctx: click.Context, /, as_json: bool, config: Path | None, **settings: Any) -> None:
    """Print what holds, and where it comes from.

    Takes the options, variables and file of `edgechat serve`. What it prints is such a file.
    """
    file = ConfigFile(config) if config is not None else None
    params = [param for param in ctx.command.params if is_setting(param)]
    if as_json:
        found = {
            name_of(param): {
                "value": ctx.params[param.name or ""],
                "from": _source(ctx, param, file),
            }
            for param in params
        }
        click.echo(msgspec.json.encode(found, enc_hook=str))
        return
    for param in params:
        value = _toml(ctx.params[param.name or ""])
        click.echo(f"{name_of(param)} = {value}  # {_source(ctx, param, file)}")


def _source(ctx: click.Context, param: click.Parameter, file: ConfigFile | None) -> str:
    match ctx.get_parameter_source(param.name or ""):
        case ParameterSource.COMMANDLINE:
            return param.opts[0]
        case ParameterSource.ENVIRONMENT:
            return str(param.envvar)
        case ParameterSource.DEFAULT_MAP if file is not None:
            return file.line(param)
        case _:
            return "default"


def _toml(value: Any) -> str:
    """A value as TOML has it: its basic strings are JSON's, but for DEL."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
