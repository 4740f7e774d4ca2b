"""What needs Linux says so in one line, elsewhere."""

from __future__ import annotations

import sys

import click


def need_linux(command: str) -> None:
    """End with status 1 on any other system: epoll and some calls on files are Linux's.

    Call it before anything of the server is imported.
    """
    if sys.platform != "linux":
        click.echo(
            f"`edgechat {command}` needs Linux, and this is {sys.platform}. "
            "The Python client (edgechat.client) works here.",
            err=True,
        )
        sys.exit(1)
