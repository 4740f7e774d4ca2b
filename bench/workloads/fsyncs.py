"""Durability `disk` under load: how many messages share one fsync."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from bench.candidates import Candidate
from bench.commands import edgechat_disk
from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.pace import windowed
from bench.measurement import Figures, measure_chat
from bench.server import Server
from bench.workloads.chat import Chat
from bench.workloads.workload import Workload

SENDERS = 100
CHAT = Chat(1, SENDERS, SENDERS, windowed(1))
COUNTED = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(fsync|fdatasync)$", re.M)


def command(port: int, data: Path) -> list[str]:
    """EdgeChat with `--durability disk`, under a strace that stops it at fsync only."""
    serve = edgechat_disk(port, data)
    if not shutil.which("strace"):
        return serve
    counting = ["-f", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync"]
    return ["strace", *counting, "-o", str(data / "fsyncs"), *serve]


def messages_per_fsync(server: Server, _candidate: Candidate, seconds: float) -> Figures:
    """A hundred senders in one room, each waiting for its own line before the next."""
    if not shutil.which("strace"):
        raise LoadError("no strace on this machine to count fsync with")
    with Clients(server.port) as clients:
        load = CHAT.gather(clients)
        figures = measure_chat(load, server, CHAT.pace, seconds)
        sent = load.sent().total()
    end_under_strace(server)
    summary = (server.data / "fsyncs").read_text()
    fsyncs = sum(int(count) for count, _call in COUNTED.findall(summary))
    if not fsyncs:
        raise LoadError(f"no fsync at all for {sent} messages:\n{summary}")
    return {
        "messages_per_fsync": sent / fsyncs,
        "messages_per_s": figures["deliveries_per_s"] / SENDERS,
        "p99_us": figures["p99_us"],
        "disturbed": figures["disturbed"],
    }


def end_under_strace(server: Server) -> None:
    """Signal the server itself: a signalled strace would detach from it."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), 15)
    server.wait_end()


WORKLOADS = (
    Workload("disk", "100 senders, durability disk", messages_per_fsync,
             floor=False, peers=False, rounds=2, command=command),
)  # fmt: skip
