"""SIGHUP: the settings are read again, and the limits among them hold without a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, replace

import click

from edgechat.cli.config_file import name_of
from edgechat.cli.options import OPTIONS
from edgechat.settings import RELOADABLE, Settings

log = logging.getLogger(__name__)

_OPTIONS = {option.name: name_of(option) for options in OPTIONS.values() for option in options}


class Reload:
    """What holds, and what is read next."""

    def __init__(self, settings: Settings, read: Callable[[], Settings]) -> None:
        """`read` may raise `click.ClickException`."""
        self._settings = settings
        self._read = read

    def __call__(self) -> Settings | None:
        """What holds from now on; None where what is read is wrong. The log says what changed."""
        try:
            read = self._read()
        except click.ClickException as error:
            log.error("The settings stay as they are: %s", error.format_message())
            return None
        before = self._settings
        changed = [
            field.name
            for field in fields(Settings)
            if getattr(read, field.name) != getattr(before, field.name)
        ]
        new = {name: getattr(read, name) for name in changed if name in RELOADABLE}
        self._settings = replace(before, **new)
        told = (f"{_OPTIONS[name]} is {value}" for name, value in new.items())
        log.info("Reloaded: %s", ", ".join(told) or "no limit has changed")
        if waiting := [_OPTIONS[name] for name in changed if name not in RELOADABLE]:
            log.warning("Changed, but only a restart takes it: %s", ", ".join(waiting))
        return self._settings
