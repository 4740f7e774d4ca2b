"""`edgechat doctor`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
import msgspec

from edgechat.cli.data import data_option
from edgechat.cli.engine_url import EngineUrl
from edgechat.cli.finding import Finding
from edgechat.cli.linux import need_linux
from edgechat.cli.showing import printable, wants_colour
from edgechat.cli.talking import run, url_option
from edgechat.settings import Settings

_COLOURS = {"ok": 32, "warning": 33, "error": 31}

_EXAMPLES = """Examples:

\b
  edgechat doctor --data /srv/chat
  edgechat doctor --url https://chat.example.org      through the proxy, as browsers come
  edgechat doctor --engine redis://engine:6379
  edgechat doctor --json | jq -r 'select(.level != "ok")'

Run it as the user that the server runs as. It changes nothing.

Exit status: 0 no error is found (there may be warnings). 1 there is one. 2 an argument is wrong.
"""


@click.command(epilog=_EXAMPLES)
@data_option(None, "The data folder.  [default: data, without --url or --engine]")
@url_option(None)
@click.option(
    "--engine",
    type=EngineUrl(),
    default="",
    envvar="EDGECHAT_ENGINE",
    show_envvar=True,
    help="The Valkey or Redis that nodes share.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each thing looked at.")
def doctor(data: Path | None, url: str | None, engine: str, as_json: bool) -> None:
    """Look for what will go wrong, and say what to do.

    With --data: permissions, names of files that no room reads, disk, clock, limits. With --url:
    whether the server answers, is ready, and lets WebSockets through as a browser opens them. With
    --engine: whether it can be reached and used by nodes, keeps what it is told, and has memory.
    """
    if data is None and url is None and not engine:
        data = Settings().data
        if not data.is_dir():
            raise click.UsageError(f"There is no folder {data}: give --data, --url or --engine.")
    findings: list[Finding] = []
    if data is not None:
        need_linux("doctor")
        from edgechat.cli.check_data import check_data
        from edgechat.cli.check_machine import check_machine

        findings += [*check_data(data), *check_machine(data)]
    if url is not None or engine:
        run(partial(_ask, url, engine, findings, as_json))
    sys.exit(_show(findings, as_json))


async def _ask(url: str | None, engine: str, findings: list[Finding], as_json: bool) -> int:
    from edgechat.cli.check_engine import check_engine
    from edgechat.cli.check_server import check_server

    if url is not None:
        findings += await check_server(url)
    if engine:
        findings += await check_engine(engine)
    return _show(findings, as_json)


def _show(findings: list[Finding], as_json: bool) -> int:
    colour = wants_colour(sys.stdout)
    for found in findings:
        if as_json:
            click.echo(msgspec.json.encode(found))
            continue
        level = f"{found.level:<8}"
        if colour:
            level = f"\x1b[{_COLOURS[found.level]}m{level}\x1b[0m"
        click.echo(f"{level} {printable(found.what)}", color=True)
        if found.do:
            click.echo(f"{'':8} → {printable(found.do)}")
    return 1 if any(found.level == "error" for found in findings) else 0
