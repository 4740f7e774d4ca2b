"""The options of `edgechat serve`: each sets one field of `Settings`, and is a variable as well."""

from __future__ import annotations

from pathlib import Path

import click

from edgechat.cli.engine_url import EngineUrl
from edgechat.cli.setting_option import setting_option
from edgechat.cli.values import Address, HostName, Network, Number, Origin, Workers
from edgechat.cli.webhook_values import RoomAndUrl, SocketPath

_SECONDS = Number("seconds", float, 0, 10**9)
_COUNT = Number("connections", int, 0, 10**9)


OPTIONS = {
    "Where it listens": [
        setting_option(
            "--host",
            HostName(),
            "An address of this machine to listen on: 127.0.0.1 if none is given, and no --uds. "
            "0.0.0.0 lets other machines in by IPv4, :: by IPv6.",
            "hosts",
        ),
        setting_option(
            "--port", Number("port", int, 0, 65_535), "0 takes a free one and prints it."
        ),
        setting_option(
            "--uds",
            SocketPath(),
            "Listen on a Unix socket at PATH, and on nothing else unless there is a --host. "
            "Who connects to it counts as 127.0.0.1.",
        ),
    ],
    "What it tells other servers": [
        setting_option(
            "--webhook",
            RoomAndUrl(),
            "Post a room's lines to an address, as Standard Webhooks: ops=https://example.org/hook.",
            "webhooks",
        ),
        setting_option(
            "--webhook-secret-file",
            click.Path(dir_okay=False),
            "A file with the secret that signs them. Without it, and without the variable "
            "EDGECHAT_WEBHOOK_SECRET, there is one in the data folder.",
        ),
    ],
    "What it tells of itself": [
        setting_option(
            "--metrics-address",
            Address(),
            "Serve metrics for Prometheus at http://HOST:PORT/metrics, like 127.0.0.1:9100. "
            "Without it there are none: nobody else should reach that port.",
        ),
    ],
    "Where it writes": [
        setting_option(
            "--data",
            click.Path(file_okay=False, path_type=Path),
            "The folder of the histories and the server's key. It is made if it is not there.",
        ),
        setting_option(
            "--durability",
            click.Choice(["os", "disk"]),
            "When a message is shown. os: once it is written, so that it outlives this process; "
            "a power loss can cost the last second. disk: once it is synced, so that it "
            "outlives a power loss too.",
        ),
    ],
    "With other nodes": [
        setting_option(
            "--engine",
            EngineUrl(),
            "A Valkey or Redis (6.2 or newer) in which several servers share their rooms, like "
            "redis://engine:6379. rediss:// is TLS; a password is in the address, so give that "
            "as a variable. Without it this server is alone.",
        ),
        setting_option(
            "--replicas",
            Number("replicas", int, 0, 10),
            "How many replicas of the engine must have a message before it is shown. With 1, "
            "nothing that anybody saw is lost with the engine's machine.",
        ),
    ],
    "What people may send": [
        setting_option(
            "--message-interval",
            _SECONDS,
            "One message in so many seconds for each address, over all rooms: 0.5 allows two a "
            "second, 0 any number.",
        ),
        setting_option(
            "--message-grace",
            _SECONDS,
            "How many seconds an address may be ahead of that: 10, at one message a second, "
            "allows a burst of ten.",
        ),
        setting_option(
            "--max-message-chars",
            Number("characters", int, 1, 100_000),
            "The longest message.",
        ),
        setting_option(
            "--backlog",
            Number("lines", int, 0, 1_000),
            "How many lines of history a newcomer gets who does not ask for a number.",
        ),
    ],
    "How much it holds": [
        setting_option(
            "--workers",
            Workers(),
            "Processes among which the rooms are parted, so that more than one core has work; "
            "auto is the number of cores. docs/operations.md says when it helps.",
        ),
        setting_option(
            "--max-connections", Number("connections", int, 1, 10**9), "Connections open at once."
        ),
        setting_option(
            "--max-connections-per-address",
            _COUNT,
            "Connections that one address may have open; 0 is no limit. This machine's own and "
            "those of trusted proxies are not counted.",
        ),
        setting_option(
            "--max-opened-per-minute",
            _COUNT,
            "Connections that one address may open in a minute; 0 is no limit.",
        ),
        setting_option(
            "--max-files-per-minute",
            _COUNT,
            "Files of the page that one address may ask for in a minute, beside these connections; "
            "0 is no limit. A first visit takes some forty.",
        ),
        setting_option("--max-rooms", Number("rooms", int, 1, 10**9), "Rooms open at once."),
        setting_option("--room-idle", _SECONDS, "How long a room is kept open with nobody in it."),
        setting_option(
            "--limiter-idle",
            _SECONDS,
            "How long an address's allowance is kept when it is not used.",
        ),
        setting_option(
            "--heartbeat",
            Number("seconds", float, 1, 10**6),
            "A member that was silent for so long is sent a ping. It has to be shorter than any "
            "proxy's limit for idle connections.",
        ),
        setting_option("--stop-timeout", _SECONDS, "How long an orderly stop may take."),
    ],
    "Which names and pages": [
        setting_option(
            "--public-host",
            HostName(),
            "A name by which people reach this server, like chat.example.org. Requests for other "
            "names are refused once one is given, which stops DNS rebinding.",
            "public_hosts",
        ),
        setting_option(
            "--allow-origin",
            Origin(),
            "Another site whose pages may open a chat here, like https://example.org.",
            "allowed_origins",
        ),
        setting_option(
            "--frame-ancestors",
            Origin(),
            "Another site that may show the page in a frame, like https://example.org.",
            "frame_ancestors",
        ),
    ],
    "Behind a proxy": [
        setting_option(
            "--trusted-proxy",
            Network(),
            "A proxy whose word for a client's address is believed: an address or a network, "
            "like 10.0.0.0/8.",
            "trusted_proxies",
        ),
        setting_option(
            "--proxy-header",
            click.Choice(["X-Forwarded-For", "Forwarded"], case_sensitive=False),
            "The header in which it gives that word. The other one is not read: a proxy passes "
            "it on as the client made it up.",
        ),
    ],
}
