"""Kinds of values that options about webhooks and Unix sockets take."""

from __future__ import annotations

from typing import Any

import click

from edgechat.webhooks.hook import split_hook

_MOST_PATH_BYTES = 107  # unix(7), "Address format"


class RoomAndUrl(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click
    """A room, and the address to which its lines are posted."""

    name = "room=url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it was given. What is wrong is said without it: it may have a private room's id."""
        try:
            room, url = split_hook(str(value))
        except ValueError as error:
            self.fail(f"That is not a webhook: {error}.", param, ctx)
        return f"{room}={url}"


class SocketPath(click.ParamType):  # type: ignore[type-arg]  # see above
    """The path of a Unix socket; empty for none."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it was given."""
        path = str(value)
        if len(path.encode()) > _MOST_PATH_BYTES:
            self.fail(f"A socket's path has at most {_MOST_PATH_BYTES} bytes.", param, ctx)
        if "\0" in path:
            self.fail("A path has no zero byte in it.", param, ctx)
        return path
