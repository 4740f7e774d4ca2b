"""The options of `edgechat serve`: each sets one field of `Settings`, and is a variable as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgechat.cli.engine_url import EngineUrl
from edgechat.cli.values import Address, HostName, Network, Number, Origin, Workers
from edgechat.cli.webhook_values import RoomAndUrl, SocketPath
from edgechat.settings import Settings

_SECONDS = Number("seconds", float, 0, 10**9)
_COUNT = Number("connections", int, 0, 10**9)


def _option(name: str, kind: Any, text: str, field: str = "") -> click.Option:
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


OPTIONS = {
    "Where it listens": [
        _option(
            "--host",
            HostName(),
            "An address of this machine to listen on: 127.0.0.1 if none is given, and no --uds. "
            "0.0.0.0 lets other machines in by IPv4, :: by IPv6.",
            "hosts",
        ),
        _option("--port", Number("port", int, 0, 65_535), "0 takes a free one and prints it."),
        _option(
            "--uds",
            SocketPath(),
            "Listen on a Unix socket at PATH, and on nothing else unless there is a --host. "
            "Who connects to it counts as 127.0.0.1.",
        ),
    ],
    "What it tells other servers": [
        _option(
            "--webhook",
            RoomAndUrl(),
            "Post a room's lines to an address, as Standard Webhooks: ops=https://example.org/hook.",
            "webhooks",
        ),
        _option(
            "--webhook-secret-file",
            click.Path(dir_okay=False),
            "A file with the secret that signs them. Without it, and without the variable "
            "EDGECHAT_WEBHOOK_SECRET, there is one in the data folder.",
        ),
    ],
    "What it tells of itself": [
        _option(
            "--metrics-address",
            Address(),
            "Serve metrics for Prometheus at http://HOST:PORT/metrics, like 127.0.0.1:9100. "
            "Without it there are none: nobody else should reach that port.",
        ),
    ],
    "Where it writes": [
        _option(
            "--data",
            click.Path(file_okay=False, path_type=Path),
            "The folder of the histories and the server's key. It is made if it is not there.",
        ),
        _option(
            "--durability",
            click.Choice(["os", "disk"]),
            "When a message is shown. os: once it is written, so that it outlives this process; "
            "a power loss can cost the last second. disk: once it is synced, so that it "
            "outlives a power loss too.",
        ),
    ],
    "With other nodes": [
        _option(
            "--engine",
            EngineUrl(),
            "A Valkey or Redis (6.2 or newer) in which several servers share their rooms, like "
            "redis://engine:6379. rediss:// is TLS; a password is in the address, so give that "
            "as a variable. Without it this server is alone.",
        ),
    ],
    "What people may send": [
        _option(
            "--message-interval",
            _SECONDS,
            "One message in so many seconds for each address, over all rooms: 0.5 allows two a "
            "second, 0 any number.",
        ),
        _option(
            "--message-grace",
            _SECONDS,
            "How many seconds an address may be ahead of that: 10, at one message a second, "
            "allows a burst of ten.",
        ),
        _option(
            "--max-message-chars",
            Number("characters", int, 1, 100_000),
            "The longest message.",
        ),
        _option(
            "--backlog",
            Number("lines", int, 0, 1_000),
            "How many lines of history a newcomer gets who does not ask for a number.",
        ),
    ],
    "How much it holds": [
        _option(
            "--workers",
            Workers(),
            "Processes among which the rooms are parted, so that more than one core has work; "
            "auto is the number of cores. docs/operations.md says when it helps.",
        ),
        _option(
            "--max-connections", Number("connections", int, 1, 10**9), "Connections open at once."
        ),
        _option(
            "--max-connections-per-address",
            _COUNT,
            "Connections that one address may have open; 0 is no limit. This machine's own and "
            "those of trusted proxies are not counted.",
        ),
        _option(
            "--max-opened-per-minute",
            _COUNT,
            "Connections that one address may open in a minute; 0 is no limit.",
        ),
        _option(
            "--max-files-per-minute",
            _COUNT,
            "Files of the page that one address may ask for in a minute, beside these connections; "
            "0 is no limit. A first visit takes some forty.",
        ),
        _option("--max-rooms", Number("rooms", int, 1, 10**9), "Rooms open at once."),
        _option("--room-idle", _SECONDS, "How long a room is kept open with nobody in it."),
        _option(
            "--limiter-idle",
            _SECONDS,
            "How long an address's allowance is kept when it is not used.",
        ),
        _option(
            "--heartbeat",
            Number("seconds", float, 1, 10**6),
            "A member that was silent for so long is sent a ping. It has to be shorter than any "
            "proxy's limit for idle connections.",
        ),
        _option("--stop-timeout", _SECONDS, "How long an orderly stop may take."),
    ],
    "Which names and pages": [
        _option(
            "--public-host",
            HostName(),
            "A name by which people reach this server, like chat.example.org. Requests for other "
            "names are refused once one is given, which stops DNS rebinding.",
            "public_hosts",
        ),
        _option(
            "--allow-origin",
            Origin(),
            "Another site whose pages may open a chat here, like https://example.org.",
            "allowed_origins",
        ),
        _option(
            "--frame-ancestors",
            Origin(),
            "Another site that may show the page in a frame, like https://example.org.",
            "frame_ancestors",
        ),
    ],
    "Behind a proxy": [
        _option(
            "--trusted-proxy",
            Network(),
            "A proxy whose word for a client's address is believed: an address or a network, "
            "like 10.0.0.0/8.",
            "trusted_proxies",
        ),
        _option(
            "--proxy-header",
            click.Choice(["X-Forwarded-For", "Forwarded"], case_sensitive=False),
            "The header in which it gives that word. The other one is not read: a proxy passes "
            "it on as the client made it up.",
        ),
    ],
}
