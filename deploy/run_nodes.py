"""An engine and three nodes on this machine, until Ctrl-C: `make run-nodes`.

The engine is whichever of `valkey-server` and `redis-server` is there. It listens on a Unix socket
in the data folder, and nobody else reaches it. The nodes listen on PORT and the two after it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

NODES = 3
PATIENCE = 10.0  # seconds for the engine's socket, and for a process to stop


def start_engine(folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """Start an engine with its files in `folder`; returns it and its socket."""
    server = shutil.which("valkey-server") or shutil.which("redis-server")
    if server is None:
        sys.exit("make run-nodes needs valkey-server or redis-server: there is none here")
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "engine.sock"
    socket.unlink(missing_ok=True)
    words = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    words += ["--dir", str(folder), "--save", "", "--appendonly", "yes"]
    words += ["--maxmemory-policy", "noeviction", "--logfile", str(folder / "engine.log")]
    engine = subprocess.Popen([server, *words], start_new_session=True)
    deadline = time.monotonic() + PATIENCE
    while not socket.exists():
        if engine.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the engine did not start: see {folder / 'engine.log'}")
        time.sleep(0.05)
    return engine, socket


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process in order, or else at once."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def main() -> None:
    """Run until a signal, or until a node or the engine ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data", type=Path, default=Path("data"))
    chosen = parser.parse_args()
    data: Path = chosen.data.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        engine, socket = start_engine(data / "engine")
        stack.callback(stop, engine)
        serve = [sys.executable, "-m", "edgechat", "serve", "--engine", f"unix://{socket}"]
        processes = [engine]
        for number in range(NODES):
            place = ["--port", str(chosen.port + number), "--data", str(data / f"node-{number}")]
            node = subprocess.Popen([*serve, *place], start_new_session=True)
            stack.callback(stop, node)
            processes.append(node)
        try:
            while all(process.poll() is None for process in processes):
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        else:
            sys.exit("one of them has ended: the others are stopped")


if __name__ == "__main__":
    main()
