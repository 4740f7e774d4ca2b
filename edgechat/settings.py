"""Every limit and timeout in one frozen value: the only thing that all layers import."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Durability = Literal["os", "disk"]
ProxyHeader = Literal["X-Forwarded-For", "Forwarded"]


# What a server that runs can take on anew: limits, each asked for at one place.
RELOADABLE = (
    "message_interval",
    "message_grace",
    "max_rooms",
    "max_connections",
    "max_connections_per_address",
    "max_opened_per_minute",
    "max_files_per_minute",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may choose (the command line shows these) and what the project chose.

    Seconds unless a name says otherwise.
    """

    # Where it listens and writes.
    # Names or addresses; the first is told to people. None: 127.0.0.1, or nothing beside `uds`.
    hosts: tuple[str, ...] = ()
    port: int = 8080  # 0 lets the system choose
    workers: int = 1  # processes among which the rooms are parted; 1 is this process alone
    uds: str = ""  # the path of a Unix socket; none where it is empty
    data: Path = Path("data")
    durability: Durability = "os"
    engine: str = ""  # a Valkey or Redis that other nodes share: `redis://host:6379`
    replicas: int = 0  # of the engine, that have a message before it is shown
    metrics_address: str = ""  # `host:port` for Prometheus; none, and nothing is measured
    # Rooms whose lines are posted to an address, as `ROOM=URL`, and the secret that signs them: the
    # text itself, or a file with it. Without both there is one in the data folder.
    webhooks: tuple[str, ...] = ()
    webhook_secret: str = field(default="", repr=False)
    webhook_secret_file: str = ""
    # Names by which people reach it: with one or more, requests for other names are refused. So are
    # they without one where it listens on loopback, and goes there by no name but `localhost`: no
    # web page gets in whose own name is pointed at this machine (DNS rebinding).
    public_hosts: tuple[str, ...] = ()
    # Other sites, as browsers write them in `Origin`: whose pages may open a chat here, and which
    # may show the page in a frame.
    allowed_origins: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    # Where a proxy says for whom it speaks. What it does not write itself it passes on as the
    # client made it up: so exactly one header can be believed.
    proxy_header: ProxyHeader = "X-Forwarded-For"

    # The version of the page's files, which `server.py` fills in: told at each join, so that a page
    # that was loaded before an upgrade knows. Nobody chooses it.
    web_version: str = ""

    # What one may say, and how often.
    message_interval: float = 1.0  # one allowance of each address; 0 turns the limiter off
    message_grace: float = 10.0
    max_message_chars: int = 2_000
    backlog: int = 100  # lines, when the hello asks for no number

    # How long the living stay idle.
    room_idle: float = 60.0
    limiter_idle: float = 600.0

    # How many there may be.
    max_rooms: int = 20_000
    max_limiters: int = 100_000
    max_connections: int = 50_000
    max_connections_per_address: int = 64  # loopback is exempt: it may be a proxy, and is our own
    max_opened_per_minute: int = 120
    # Apart from these: the page's files, some forty for a first visit. A class of 30 fits.
    max_files_per_minute: int = 2_400
    spare_descriptors: int = 32  # held back for connections, when rooms have taken the rest
    max_addresses: int = 100_000  # remembered, in each table; of more, the longest unused go

    # What the project chose. Reasons stand beside the numbers.
    max_name_chars: int = 32  # the demo's
    max_backlog: int = 1_000  # lines
    max_page_lines: int = 1_000  # lines of history in one answer of the HTTP API
    max_resume: int = 10_000  # lines; further behind is `far`
    known_ids: int = 10_000  # messages back in which an `id` is remembered
    recent_lines: int = 1_000  # kept framed in memory by a room …
    recent_bytes: int = 256 * 1024  # … but no more than this
    inbox: int = 256  # commands; a full inbox is backpressure on its senders
    batch: int = 1_000  # commands applied together, so that nobody waits for a longer one
    big_room: int = 250  # members above which v2 clients get counts, not every coming and going
    frames_at_once: int = 16  # of one member, then the others have their turn
    bad_frames: int = 10  # in a row, then 1008
    # Frames that cost more than they say: pings, fragments, what is refused or repeated. Beyond it
    # nothing is read from the connection for a while, and TCP pushes back. 0 is no limit.
    frame_rate: float = 50.0  # a second, of one connection …
    frame_burst: float = 200.0  # … and at once
    address_frame_rate: float = 200.0  # a second, of all connections of one address …
    address_frame_burst: float = 800.0  # … and at once
    frame_pause: float = 2.0  # at most, before it is read from again
    # Waiting for one socket; more is a slow client: 4008. What a newcomer gets in one go
    # (`recent_bytes`, `page_bytes`, a roster) has to fit.
    outbox_bytes: int = 512 * 1024
    page_bytes: int = 256 * 1024  # of history read or sent in one go
    # Of a history, by one address: looks of `page_bytes` at most, each some ms of a thread's time.
    # Who asks for more by HTTP is refused (429); a newcomer who catches up waits. 0 is no limit.
    history_rate: float = 20.0  # a second …
    history_burst: float = 300.0  # … and at once: a class that comes back with 10,000 lines to read
    history_threads: int = 1  # that read for people; what rooms need themselves is read in others
    opening_threads: int = 4  # in which histories are opened
    repeats_at_once: int = 4  # ids of one batch whose lines are looked up in the file
    # Of a history that one request searches, in a thread: some 40,000 short lines in that time,
    # while others wait some ms longer than else.
    search_bytes: int = 32 * 1024 * 1024
    search_time: float = 0.5
    search_looks: int = 20  # what a search costs of `history_rate`
    head_bytes: int = 16 * 1024  # of a request's line and headers
    head_fields: int = 128  # headers of a request; each takes some 20 µs
    body_bytes: int = 64 * 1024  # of a request's body
    body_pieces: int = 1_000  # in which a request's body comes: chunks, or reads
    requests_at_once: int = 8  # by HTTP; others wait until one is answered …
    request_place: float = 0.03  # … or has been going on for so long
    head_timeout: float = 10.0
    keep_alive: int = 5  # for the next request on a connection on which a message was posted
    hello_timeout: float = 10.0
    heartbeat: float = 20.0  # of silence, then a ping
    heartbeat_timeout: float = 10.0  # more of it, then 4408
    stall_timeout: float = 20.0  # in which a slow client has to take something of its outbox
    outbox_timeout: float = 300.0  # in which the outbox of a slow client has to be empty once
    close_timeout: float = 5.0  # for the other side's half of a closing handshake
    linger_timeout: float = 2.0  # for one that was answered to read it and close
    last_call: float = 1.0  # for the head of a request that comes while the server stops
    last_answer: float = 5.0  # for a request to be answered whose client sends no more
    stop_timeout: float = 8.0  # an orderly stop, stuck clients included
    webhook_timeout: float = 15.0  # for a target to answer
    webhook_wait: float = 300.0  # at most between two tries of one line
    webhook_tries: int = (
        10  # of a line that the target refuses (3xx and 4xx), and then it is held …
    )
    webhook_held: float = 3_600.0  # … and tried so seldom
    # How long a room's file may lack what was said, and a line may be unsynced (`os` durability).
    sync_interval: float = 1.0
    # When a file of the journal is closed, to be removed once all is synced that
    # it covers. A start after a crash reads all that there are.
    journal_bytes: int = 64 * 1024 * 1024
    journal_age: float = 60.0
    typing_shown: float = 5.0
    typing_interval: float = 3.0

    @property
    def max_frame_bytes(self) -> int:
        r"""A message all in `\uXXXX` escapes fits (12 bytes: a surrogate pair a character)."""
        return 12 * self.max_message_chars + 2 * 1024
