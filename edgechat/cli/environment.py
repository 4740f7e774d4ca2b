"""Variables `EDGECHAT_…` that are not settings: a misspelt one must not be passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

_PREFIX = "EDGECHAT_"
_NOT_OURS = {"EDGECHAT_REQUIRE_BROWSER", "EDGECHAT_PYTHON"}  # the tests' and the benchmark's


def settings_of(command: click.Command) -> set[str]:
    """The variables that a command and its subcommands read."""
    commands = command.commands.values() if isinstance(command, click.Group) else ()
    own = {param.envvar for param in command.params if isinstance(param.envvar, str)}
    return own.union(*(settings_of(each) for each in commands))


def warnings_of(environment: Mapping[str, str], settings: Iterable[str]) -> list[str]:
    """A line for each variable that looks like one of ours, and is none."""
    known = sorted(settings)
    ours = {name for name in environment if name.startswith(_PREFIX)} - _NOT_OURS
    return [f"{name} is not a setting: {_hint(name, known)}" for name in sorted(ours - {*known})]


def _hint(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # seldom needed, and a start should be quick

    ends = [each.removeprefix(_PREFIX) for each in known]
    near = get_close_matches(name.removeprefix(_PREFIX), ends, n=1)
    return f"did you mean {_PREFIX}{near[0]}?" if near else "`edgechat serve --help` lists them."
