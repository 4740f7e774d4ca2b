"""How much code a plain message and an HTTP request pass: it may get less, and not more.

Run it as a program to see the paths: `python -m tests.test_path`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import trio
from trio.testing import wait_all_tasks_blocked

import edgechat
from tests.serving.running import Running, serving
from tests.serving.wire import frame, join

ROOT = Path(edgechat.__file__).parent


class Most(NamedTuple):
    """What was reached, of the project's own."""

    modules: int
    functions: int


# A message passes the journal: what all rooms said in a turn is put together, written and noted.
MESSAGE = Most(29, 51)
# More than half of a request's path is the door: whom it counts for, whether the host is ours, what
# is only an offer, and that there is a descriptor for the next one. It is a module of its own, as
# the front of several workers has the same one. A head that is not there yet when its connection is
# accepted takes three functions more. Then it is parted from what is posted, and waits for its
# place.
REQUEST = Most(28, 65)
POST = Most(62, 169)  # a request and a message, and what says that it may be said


class Traced(NamedTuple):
    """The calls of our own functions, in their order."""

    calls: list[str]

    @property
    def modules(self) -> list[str]:
        return sorted({call.partition(":")[0] for call in self.calls})


@contextmanager
def traced() -> Iterator[Traced]:
    path = Traced([])

    def trace(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{ROOT}/"):
            module = code.co_filename.removeprefix(f"{ROOT}/")
            path.calls.append(f"{module}:{code.co_qualname}")

    before = sys.getprofile()
    sys.setprofile(trace)
    try:
        yield path
    finally:
        sys.setprofile(before)


async def shortest(walk: Callable[[], Awaitable[None]]) -> Traced:
    """The shortest of several paths, each followed until every task rests.

    What comes once in a while (a date put together anew, a read that found half) is in one of them
    and not in another.
    """
    paths = []
    for _ in range(8):
        await wait_all_tasks_blocked(0.02)
        with traced() as path:
            await walk()
            await wait_all_tasks_blocked(0.02)
        paths.append(path)
    return min(paths, key=lambda path: len(set(path.calls)))


async def message_path(server: Running) -> Traced:
    """One plain message in a room of two, where messages were said before."""
    alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
    texts = (f"message {number}" for number in count())

    async def say() -> None:
        text = next(texts)
        await alice.send(frame(b'{"message":"%b"}' % text.encode()))
        await alice.until("message", text)
        await bob.until("message", text)

    return await shortest(say)


async def request_path(server: Running) -> Traced:
    """A look at a room in which somebody is: else its own task's steps would be among them."""
    await join(server.port, "carol")

    async def look() -> None:
        assert (await server.get("/api/room/lobby")).status == 200

    return await shortest(look)


async def post_path(server: Running) -> Traced:
    """What a script says in a room, on a connection of its own."""
    await join(server.port, "dave")

    async def post() -> None:
        answer = await server.ask("POST", "/api/room/lobby/messages", body=b"hi")
        assert answer.status == 201

    return await shortest(post)


async def test_a_plain_message(tmp_path: Path) -> None:
    async with serving(tmp_path, sync_interval=100.0) as server:
        check(await message_path(server), MESSAGE)


async def test_an_http_request(tmp_path: Path) -> None:
    async with serving(tmp_path, sync_interval=100.0) as server:
        check(await request_path(server), REQUEST)


async def test_a_post(tmp_path: Path) -> None:
    async with serving(tmp_path, sync_interval=100.0) as server:
        check(await post_path(server), POST)


def check(path: Traced, most: Most) -> None:
    assert path.calls, "nothing was traced"
    assert len(path.modules) <= most.modules, path.modules
    assert len(set(path.calls)) <= most.functions, path.calls


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder), sync_interval=100.0) as server:
            for what, path in (
                ("a message", await message_path(server)),
                ("a request", await request_path(server)),
                ("a post", await post_path(server)),
            ):
                functions = dict.fromkeys(path.calls)
                print(f"{what}: {len(path.modules)} modules, {len(functions)} functions")
                print("\n".join(f"  {call}" for call in functions))


if __name__ == "__main__":
    trio.run(_main)
