"""The value of `--engine`: checked at the start, and never shown with its password."""

from __future__ import annotations

import re
from typing import Any

import click

from edgechat.nodes.engine_address import parse_address

_PASSWORD = re.compile(r"(//[^/@]*:)[^/]*@")


class EngineUrl(click.ParamType):  # type: ignore[type-arg]  # as in `values`
    """Where an engine is; empty for none."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it was given."""
        url = str(value).strip()
        if url:
            try:
                parse_address(url)
            except ValueError as error:
                self.fail(f"{self.shown(url)!r}: {error}.", param, ctx)
        return url

    @staticmethod
    def shown(url: str) -> str:
        """The address without its password."""
        return _PASSWORD.sub(r"\1***@", url)
