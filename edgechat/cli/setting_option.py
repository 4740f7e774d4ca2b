"""An option that sets one field of `Settings`."""

from __future__ import annotations

from typing import Any

import click

from edgechat.settings import Settings


def setting_option(name: str, kind: Any, text: str, field: str = "") -> click.Option:
    """An option whose default is the setting's, and whose variable is its own name.

    `field` is that of `Settings`, where it is not the option's name. An option whose field is a
    tuple may be repeated; its variable holds several values with blanks between them.
    """
    own = name.removeprefix("--").replace("-", "_")
    default = getattr(Settings(), field or own)
    is_many = isinstance(default, tuple)
    return click.Option(
        [name, field or own],
        type=kind,
        default=default,
        multiple=is_many,
        show_default=default not in ("", ()),
        envvar=f"EDGECHAT_{own.upper()}",
        metavar=kind.name.upper() if not isinstance(kind, click.Choice) else None,
        help=f"{text} May be repeated." if is_many else text,
    )
