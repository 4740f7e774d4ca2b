"""Options of `edgechat serve` that are not settings in a file: how the command itself runs."""

from __future__ import annotations

import click

from edgechat.cli.config_file import CONFIG

_SECRET = "EDGECHAT_WEBHOOK_SECRET"  # a variable only: all users of a machine see command lines

RUN_OPTIONS = {
    "How it runs": [
        CONFIG,
        click.Option(["--webhook-secret"], default="", envvar=_SECRET, hidden=True),
        click.Option(
            ["--log"],
            type=click.Choice(["auto", "text", "json"]),
            default="auto",
            show_default=True,
            envvar="EDGECHAT_LOG",
            help="The form of the log, on standard error. auto: text on a terminal, and else "
            "JSON, an object a line.",
        ),
    ],
}
