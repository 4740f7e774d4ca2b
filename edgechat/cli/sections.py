"""A command whose `--help` lists its options by subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

_ARGS = f"{__name__}.args"


class Sectioned(click.Command):
    """A command whose options stand in sections, each under a title."""

    def __init__(
        self, *args: Any, sections: Mapping[str, Sequence[click.Option]], **kwargs: Any
    ) -> None:
        """`sections`: the options by the title that they stand under."""
        params = [option for options in sections.values() for option in options]
        super().__init__(*args, **{**kwargs, "params": params})
        self._sections = sections

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep them for `parse_again`."""
        ctx.meta[_ARGS] = list(args)
        return super().parse_args(ctx, args)

    def parse_again(self, ctx: click.Context) -> dict[str, Any]:
        """What its options say now: a file may say otherwise. Raises `click.ClickException`."""
        args = list(ctx.meta[_ARGS])
        return self.make_context(ctx.info_name, args, parent=ctx.parent).params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, and last what is in none (`--help`)."""
        listed = {option for options in self._sections.values() for option in options}
        others = [param for param in self.get_params(ctx) if param not in listed]
        for title, options in {**self._sections, "Other": others}.items():
            records = [record for option in options if (record := option.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(records, col_max=26)
