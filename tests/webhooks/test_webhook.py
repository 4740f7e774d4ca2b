"""A webhook under a simulated clock: every line once and in order, whatever the target does."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.settings import Settings
from edgechat.webhooks.delivery import Delivery
from edgechat.webhooks.files import Position, position_file, read_position
from edgechat.webhooks.hook import Hook, parse_hook
from edgechat.webhooks.webhook import Webhook
from tests.chat.rooms import lines
from tests.rooms.fakes import LOBBY, FakeSocket, World, a_world

from .target import SECRET, FakeTarget

IDS = PrivateIds(bytes(32))
URL = "https://example.org/secret-path"
HOOK = parse_hook(f"lobby={URL}", IDS)
NO_HASH = "0" * 16


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated clock goes on while a thread works."""

    async def run(function: Callable[..., Any], *arguments: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*arguments)

    monkeypatch.setattr(system, "run_in_thread", run)


class Setting:
    """A world, a target, and a server's webhook that may be started and stopped."""

    def __init__(self, world: World, target: FakeTarget, data: Path, nursery: trio.Nursery) -> None:
        self.world = world
        self.target = target
        self.settings = Settings(data=data)
        self._nursery = nursery
        self.webhook: Webhook
        self._scope: trio.CancelScope

    def start(self, hook: Hook = HOOK) -> None:
        delivery = Delivery(hook, SECRET, self.settings, self.target.dial)
        self.webhook = Webhook(hook, delivery, self.settings)
        self._scope = trio.CancelScope()
        self._nursery.start_soon(self._run, self.webhook, self._scope)

    async def _run(self, webhook: Webhook, scope: trio.CancelScope) -> None:
        with scope:
            await webhook.run(self.world.rooms, lambda: True)

    async def stop(self) -> None:
        self._scope.cancel()
        await wait_all_tasks_blocked()

    def position(self, hook: Hook = HOOK) -> Position | None:
        return read_position(position_file(self.settings.data, hook))


@asynccontextmanager
async def a_setting(data: Path, **settings: Any) -> AsyncIterator[Setting]:
    async with trio.open_nursery() as nursery:
        async with a_world(**settings) as world:
            yield Setting(world, FakeTarget(nursery), data, nursery)
        nursery.cancel_scope.cancel()


async def say(socket: FakeSocket, *numbers: int) -> None:
    for number in numbers:
        socket.say(f"{number}")
        await wait_all_tasks_blocked()


def texts(target: FakeTarget) -> list[str]:
    return [line["message"] for line in target.lines()]


async def test_it_begins_with_what_comes(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        setting.world.storage.files[LOBBY] = [*lines(7)]
        setting.start()
        await wait_all_tasks_blocked()
        position = setting.position()
        assert position is not None
        assert position.seq == 7
        alice = await setting.world.join("alice")
        await say(alice, 1, 2)
        assert [line["seq"] for line in setting.target.lines()] == [8, 9]
        assert texts(setting.target) == ["1", "2"]
        first = setting.target.lines()[0]
        assert setting.target.taken[0] == f"lobby:8:{first['h']}"
        assert (setting.webhook.delivery.delivered, setting.webhook.behind) == (2, 0)


async def test_down_for_ten_minutes(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """More is said meanwhile than the room keeps in memory; all of it comes, once and in order."""
    async with a_setting(tmp_path, recent_lines=20) as setting:
        setting.start()
        await wait_all_tasks_blocked()
        alice = await setting.world.join("alice")
        await say(alice, 0)
        setting.target.is_down = True
        begin = trio.current_time()
        for number in range(1, 61):
            await trio.sleep(10)
            await say(alice, number)
        assert trio.current_time() - begin == 600
        assert texts(setting.target) == ["0"]
        assert setting.webhook.behind == 60
        assert 9 <= setting.target.dialled <= 12  # it backs off
        setting.target.is_down = False
        await trio.sleep(301)
        assert texts(setting.target) == [f"{number}" for number in range(61)]
        assert len(set(setting.target.taken)) == 61
        assert len(setting.target.requests) == 61
        assert setting.webhook.behind == 0
        said = [record.getMessage() for record in caplog.records]
        assert said == [
            "The webhook of room 'lobby' to https://example.org is tried again and again: "
            "Connection refused.",
            said[1],
        ]
        assert said[1].startswith("The webhook of room 'lobby' to https://example.org goes on, ")


async def test_trouble_is_said_once_an_hour(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_setting(tmp_path) as setting:
        setting.target.is_down = True
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1)
        await trio.sleep(5 * 3_600)
        assert len(caplog.records) == 1 + 4
    assert URL.rpartition("/")[2] not in caplog.text


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"HTTP",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 500 No\r\n\r\n",
        b"<html>\x1b[31m\r\n\r\n",
    ],
)
async def test_garbage_is_no_answer(
    autojump_clock: MockClock, tmp_path: Path, garbage: bytes
) -> None:
    async with a_setting(tmp_path) as setting:
        setting.target.script = lambda number: garbage if number < 3 else 200
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1, 2)
        await trio.sleep(60)
        assert texts(setting.target) == ["1", "2"]
        assert setting.webhook.delivery.failures == 3


async def test_an_endless_body_is_an_answer(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        body = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000
        setting.target.script = lambda number: body
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1, 2)
        assert [id.split(":")[1] for id, _ in setting.target.requests] == ["1", "2"]
        assert setting.webhook.delivery.delivered == 2


async def test_a_target_that_says_nothing(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        setting.target.is_silent = True
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1)
        await trio.sleep(setting.settings.webhook_timeout + 2)
        assert len(setting.target.requests) == 2
        assert len(dict(setting.target.requests)) == 1  # under the same id
        setting.target.is_silent = False
        await trio.sleep(60)
        assert texts(setting.target) == ["1"]


@pytest.mark.parametrize("status", [302, 400, 404, 429])
async def test_what_is_refused_is_held_and_said_once_an_hour(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    async with a_setting(tmp_path) as setting:
        setting.target.script = lambda number: status
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1, 2)
        await trio.sleep(600)
        assert len(setting.target.requests) == 10
        assert setting.webhook.delivery.is_held
        assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
        await trio.sleep(3 * 3_600)
        assert len(setting.target.requests) == 13
        assert [record.levelno for record in caplog.records[1:]] == [logging.ERROR] * 4
        assert len(dict(setting.target.requests)) == 1  # the next line waits
        setting.target.script = lambda number: 200
        await trio.sleep(3_600)
        assert texts(setting.target) == ["1", "2"]
        assert not setting.webhook.delivery.is_held


async def test_gone_is_the_end(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_setting(tmp_path) as setting:
        setting.target.script = lambda number: 410 if number == 1 else 200
        setting.start()
        await wait_all_tasks_blocked()
        alice = await setting.world.join("alice")
        await say(alice, 1, 2, 3)
        await trio.sleep(3_600)
        assert len(setting.target.requests) == 2
        setting.start()  # and it stays so in the next server
        await trio.sleep(3_600)
        await say(alice, 4)
        assert texts(setting.target) == ["1"]
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        position_file(tmp_path, HOOK).unlink()
        setting.start()
        await wait_all_tasks_blocked()
        await say(alice, 5)
        assert texts(setting.target) == ["1", "5"]


async def test_a_restart_in_the_middle(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path, recent_lines=5) as setting:
        alice = await setting.world.join("alice")
        for begin in range(0, 100, 10):
            setting.start()
            await wait_all_tasks_blocked()
            setting.target.is_down = begin % 20 == 0
            await say(alice, *range(begin, begin + 6))
            await setting.stop()
            await say(alice, *range(begin + 6, begin + 10))
        setting.target.is_down = False
        setting.start()
        await trio.sleep(1)
        assert texts(setting.target) == [f"{number}" for number in range(100)]
        assert len(setting.target.requests) == 100


async def test_a_restart_before_the_answer_repeats_the_id(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Nobody knows whether the target has the line: it gets it again, and knows by the id."""
    async with a_setting(tmp_path) as setting:
        setting.start()
        await wait_all_tasks_blocked()
        setting.target.is_silent = True
        await say(await setting.world.join("alice"), 1)
        await setting.stop()
        setting.target.is_silent = False
        setting.start()
        await wait_all_tasks_blocked()
        assert len(setting.target.requests) == 2
        assert len(dict(setting.target.requests)) == 1


async def test_a_room_that_starts_again(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        setting.start()
        await wait_all_tasks_blocked()
        alice = await setting.world.join("alice")
        await say(alice, 1)
        room = setting.world.room()
        assert room is not None
        room.stop()
        await wait_all_tasks_blocked()
        bob = await setting.world.join("bob")  # before the webhook is there again
        await say(bob, 2)
        await trio.sleep(2)
        await say(bob, 3)
        assert texts(setting.target) == ["1", "2", "3"]


async def test_a_history_that_is_another(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        setting.world.storage.files[LOBBY] = [*lines(7)]
        setting.start()
        await wait_all_tasks_blocked()
        await setting.stop()
        await trio.sleep(setting.world.settings.room_idle + 1)
        setting.world.storage.files[LOBBY] = [*lines(3)]
        setting.start()
        await wait_all_tasks_blocked()
        kinds = [body["type"] for _, body in setting.target.requests]
        assert kinds == ["reset", "message", "message", "message"]
        reset = setting.target.requests[0][1]["data"]
        assert (reset["reason"], reset["seq"]) == ("forked", 3)
        position = setting.position()
        assert position is not None
        assert position.seq == 3


async def test_damaged_lines(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        made = lines(4)
        setting.world.storage.files[LOBBY] = [made[0]]
        setting.start()
        await wait_all_tasks_blocked()
        await setting.stop()
        await trio.sleep(setting.world.settings.room_idle + 1)
        setting.world.storage.files[LOBBY] = [made[0], made[1], None, made[3]]
        setting.start()
        await wait_all_tasks_blocked()
        assert [id.split(":")[1] for id in setting.target.taken] == ["2", "3", "4"]
        assert setting.target.taken[1] == "lobby:3:lost"
        assert setting.target.lines()[1] == {"seq": 3, "kind": "lost"}


async def test_a_room_that_can_not_be_read(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with a_setting(tmp_path) as setting:
        setting.world.storage.fail_open = StorageUnavailable("Input/output error")
        setting.start()
        await trio.sleep(10)
        setting.world.storage.fail_open = None
        await trio.sleep(2)
        await say(await setting.world.join("alice"), 1)
        assert texts(setting.target) == ["1"]


async def test_a_position_that_can_not_be_stored(
    autojump_clock: MockClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Lines go on; a restart would send them again, under the same ids."""
    async with a_setting(tmp_path) as setting:
        setting.start()
        await wait_all_tasks_blocked()

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(system, "fsync", fail)
        await say(await setting.world.join("alice"), 1, 2)
        assert texts(setting.target) == ["1", "2"]
        assert "No space left" in caplog.text
        position = setting.position()
        assert position is not None
        assert position.seq == 0


@pytest.mark.parametrize("text", [b"", b"x", b"{}", b'{"room":"lobby","url":"","seq":"1"}'])
async def test_a_file_that_is_not_a_position(
    autojump_clock: MockClock, tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not guessed at: that could lose lines, or repeat all."""
    async with a_setting(tmp_path) as setting:
        path = position_file(tmp_path, HOOK)
        path.parent.mkdir()
        path.write_bytes(text)
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1)
        assert setting.target.requests == []
        assert "does not run" in caplog.text
        assert path.read_bytes() == text


async def test_a_private_room_is_not_named(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_setting(tmp_path) as setting:
        id = IDS.make(bytes(16))
        hook = parse_hook(f"{id}={URL}", IDS)
        setting.target.script = lambda number: [500, 404, 200, 410][min(number, 3)]
        setting.start(hook)
        await wait_all_tasks_blocked()
        alice = await setting.world.join("alice", key=RoomKey(id, private=True))
        await say(alice, 1)
        await trio.sleep(60)
        await say(alice, 2)
        assert len(caplog.records) == 3
        assert id not in caplog.text
        assert id not in repr(setting.target.requests)


async def test_two_targets_wait_for_each_other_in_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with a_setting(tmp_path) as setting, trio.open_nursery() as nursery:
        setting.target.is_down = True
        setting.start()
        up = Setting(setting.world, FakeTarget(nursery), tmp_path, nursery)
        other = parse_hook("lobby=https://example.org/other", IDS)
        up.start(other)
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1, 2)
        assert texts(up.target) == ["1", "2"]
        assert texts(setting.target) == []
        nursery.cancel_scope.cancel()


async def test_a_connection_is_kept_while_there_is_more(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with a_setting(tmp_path) as setting:
        setting.target.is_down = True
        setting.start()
        await wait_all_tasks_blocked()
        alice = await setting.world.join("alice")
        await say(alice, *range(50))
        setting.target.is_down = False
        before = setting.target.dialled
        await trio.sleep(120)
        assert len(setting.target.taken) == 50
        assert setting.target.dialled == before + 1
        await say(alice, 50)
        assert setting.target.dialled == before + 2


async def test_the_whole_takes_no_time(autojump_clock: MockClock, tmp_path: Path) -> None:
    """An hour of trying is a moment: nothing here waits by the real clock."""
    begin = time.monotonic()
    async with a_setting(tmp_path) as setting:
        setting.target.is_down = True
        setting.start()
        await wait_all_tasks_blocked()
        await say(await setting.world.join("alice"), 1)
        await trio.sleep(3_600)
    assert time.monotonic() - begin < 60
