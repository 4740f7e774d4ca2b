"""`make run-nodes`: one command, an engine and three nodes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.nodes.engine import SERVER
from tests.packaging.test_dependencies import ROOT
from tests.serving.ports import free_ports
from tests.serving.talking import said
from tests.serving.wire import BEGUN, join


@pytest.mark.skipif(SERVER is None, reason="there is no valkey-server or redis-server")
async def test_three_nodes_by_one_command(short_path: Path) -> None:
    first = free_ports(3)
    words = [sys.executable, "deploy/run_nodes.py", "--port", str(first)]
    process = await trio.lowlevel.open_process(
        [*words, "--data", str(short_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        with trio.fail_after(2 * BEGUN):
            text = b""
            while len(re.findall(rb"EdgeChat is at", text)) < 3:
                text += await process.stdout.receive_some()
            wires = [await join(first + number, "alice") for number in range(3)]
            line = await said(wires[0], "hi")
            for wire in wires[1:]:
                assert (await wire.until("message"))["h"] == line["h"]
            for wire in wires:
                wire.close()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        process.kill()
        await process.stdout.aclose()
        with trio.CancelScope(shield=True):
            await process.wait()
    files = [short_path / f"node-{n}" / "rooms" / "public" / "lobby.jsonl" for n in range(3)]
    assert len({file.read_bytes() for file in files}) == 1
