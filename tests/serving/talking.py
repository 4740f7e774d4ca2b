"""Saying things, and holding what was shown against what was stored."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import trio

from edgechat import system
from tests.serving.files import check
from tests.serving.running import Running
from tests.serving.wire import SOON, Wire, frame, hello, join, open_wire


class Talk:
    """One who speaks and one who listens; what was acknowledged is what was shown."""

    def __init__(self, alice: Wire, bob: Wire) -> None:
        self._alice = alice
        self._bob = bob
        self.stored: list[dict[str, Any]] = []

    async def says(self, text: str) -> str:
        """`stored`, or the code of the refusal."""
        await self._alice.say(text)
        while not {"code", "timestamp"} & (event := await self._alice.event()).keys():
            pass
        if "code" in event:
            return str(event["code"])
        self.stored.append(event)
        return "stored"

    async def breaks(self) -> None:
        """What is said meets a defect."""
        await self._alice.say("this breaks it")
        assert await self._alice.close_code() == 1011

    async def shown(self) -> list[dict[str, Any]]:
        """All that the other one was shown."""
        await self._bob.send(frame('{"ping":1}'))
        shown = []
        while (event := await self._bob.event()) != {"pong": 1}:
            if "timestamp" in event:
                shown.append(event)
        return shown


async def talk(server: Running, room: str = "lobby") -> Talk:
    return Talk(await join(server.port, "alice", room), await join(server.port, "bob", room))


async def check_honesty(server: Running, talk: Talk) -> None:
    """The file has what was acknowledged and shown, and nothing else."""
    assert await talk.shown() == talk.stored == check(server.stored())


def need(tool: str, *options: str) -> None:
    """Skip where the tool is not there, or not allowed."""
    try:
        allowed = subprocess.run([tool, *options, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip(f"{tool} is not there, or not allowed")


async def resume(server: Running, since: dict[str, Any]) -> tuple[list[bytes], dict[str, Any]]:
    """The lines that one gets who goes on from there, byte for byte, and the `ready`."""
    wire = await open_wire(server.port)
    await wire.send(hello("bob", v=2, since=since))
    lines = []
    with trio.fail_after(SOON):
        while b'"ready":true' not in (payload := (await wire.frame())[1]):
            if payload.startswith(b'{"seq":'):
                lines.append(payload)
    wire.close()
    return lines, json.loads(payload)


async def said(wire: Wire, text: str, **keys: object) -> dict[str, Any]:
    """What is answered: the stored line, or a refusal."""
    await wire.say(text, **keys)
    with trio.fail_after(SOON):
        while not {"code", "timestamp"} & (event := await wire.event()).keys():
            pass
    return event


class Broken:
    """A system call that fails when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.failing = False
        self.calls = 0
        self._call: Callable[..., Any] = getattr(system, name)
        monkeypatch.setattr(system, name, self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        if self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._call(*args, **options)
