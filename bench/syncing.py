"""Durability `disk` under load: how many messages share one fsync."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from bench.chatting import Chat, windowed
from bench.crowd import Crowd, LoadError
from bench.measurement import Figures, talk
from bench.process import Server
from bench.servers import edgechat

SENDERS = 100
COUNTED = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(fsync|fdatasync)$", re.M)


def command(port: int, data: Path) -> list[str]:
    """EdgeChat with `--durability disk`, under a strace that stops at nothing but fsync."""
    serve = edgechat(port, data, "--durability", "disk")
    if not shutil.which("strace"):
        return serve
    counting = ["-f", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync"]
    return ["strace", *counting, "-o", str(data / "fsyncs"), *serve]


def messages_an_fsync(server: Server, seconds: float) -> Figures:
    """A hundred senders in one room, each waiting for its own line before the next."""
    if not shutil.which("strace"):
        raise LoadError("no strace on this machine to count fsync with")
    crowd = Crowd(server.port)
    try:
        load = Chat(1, SENDERS, SENDERS, windowed(1)).gather(crowd)
        figures = talk(load, server, windowed(1), seconds)
        said = load.said().total()
    finally:
        crowd.close()
    end_under_strace(server)
    summary = (server.data / "fsyncs").read_text()
    fsyncs = sum(int(count) for count, _call in COUNTED.findall(summary))
    if not fsyncs:
        raise LoadError(f"no fsync at all for {said} messages:\n{summary}")
    return {
        "messages_per_fsync": said / fsyncs,
        "messages_per_s": figures["deliveries_per_s"] / SENDERS,
        "p99_us": figures["p99_us"],
        "disturbed": figures["disturbed"],
    }


def end_under_strace(server: Server) -> None:
    """strace would let go of a server it is told to end; the server itself is told."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), 15)
    server.wait_end()
