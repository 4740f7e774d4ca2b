from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from edgechat import http_start, server
from edgechat.settings import Settings
from tests.serving.ports import free_ports
from tests.serving.running import Running
from tests.serving.wire import BEGUN, SOON, Wire, join


async def test_websockets_are_let_in_while_http_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_ports()
    go_on = threading.Event()
    import_http = http_start._import_http

    def import_slowly() -> object:
        assert go_on.wait(SOON)
        return import_http()

    monkeypatch.setattr(http_start, "_import_http", import_slowly)
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve, Settings(data=tmp_path, port=port), stop)
        await wait_all_tasks_blocked()
        try:
            alice = await join(port, "alice")
            async with trio.open_nursery() as asking:
                asking.start_soon(_is_alive, Running(port, tmp_path))
                await alice.say("first")
                await alice.until("message", "first")
                go_on.set()
        finally:
            go_on.set()
            Wire.close_all()
            stop.set()


async def _is_alive(running: Running) -> None:
    assert (await running.get("/livez")).body == b"alive"


def test_a_websocket_needs_no_http_library() -> None:
    libraries = "{'quart', 'hypercorn', 'werkzeug', 'asyncio'}"
    _python(f"import sys, edgechat.server; assert not {libraries} & set(sys.modules)")


def test_garbage_is_collected_once_it_runs(tmp_path: Path) -> None:
    """Its address is printed last; it stops itself then."""
    _python(
        "import gc, os, signal; import click; from edgechat.cli.main import main\n"
        "def printed(text):\n"
        "    assert gc.isenabled() and gc.get_freeze_count()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "click.echo = printed\n"
        f"main(['serve', '--port', '0', '--data', {str(tmp_path / 'data')!r}])"
    )


def _python(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=BEGUN)
    assert done.returncode == 0, done.stderr.decode()
