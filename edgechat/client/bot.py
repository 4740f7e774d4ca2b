"""Bots: a function that is called with each message, once, whatever is killed.

What makes it so: the place on disk moves on when a message is handled; ids of what is said in
answer are derived from that message; the server stores an id once. So a bot that was killed is
given the message again which it had not done with, and what it says again is not stored again.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import trio

from edgechat.chat.line import Token
from edgechat.client.events import Delayed, Error, Event, Message, Ready, Reset
from edgechat.client.failures import Refused
from edgechat.client.joined_room import Room, open_room
from edgechat.client.place import PlaceFile, open_place
from edgechat.client.room_options import Options
from edgechat.client.streams import OpenStream

log = logging.getLogger(__name__)

Bot = Callable[[Room, Message], Awaitable[None]]
DEFAULTS = Options(join_within=float("inf"))


class BotRoom(Room):
    """The room as a bot has it: what it says has an id that is derived from what it handles."""

    def __init__(self, room: Room, place: PlaceFile) -> None:
        super().__init__(room._conversation, room._runner, room._api, room._ids)
        self._place = place
        self._handled: Message | None = None
        self._said = 0

    def begin(self, message: Message) -> None:
        """From now on, all that is said is in answer to this message."""
        self._handled = message
        self._said = 0

    async def say(self, text: str, *, id: str | None = None, retry: bool = True) -> Message:
        """As the room's, but stored once even if the bot is killed: whichever `say` this is in
        answer to a message, the text of the first try is what counts.
        """
        if id is None and self._handled is not None:
            id = self._ids.derived(self._handled.seq, self._handled.h, self._said)
            self._said += 1
            text = await self._place.will_say(id, text)
        return await super().say(text, id=id, retry=retry)


class _Handling:
    """Gives a bot each message after its place, from the room's events."""

    def __init__(self, bot: Bot, room: BotRoom, place: PlaceFile) -> None:
        self._bot = bot
        self._room = room
        self._place = place
        self._reset: str | None = None  # why the lines before the next `Ready` do not join

    async def take(self, event: Event) -> None:
        match event:
            case Message() if self._reset is None:
                await self._handle(event)
            case Reset(reason=reason):
                self._reset = reason
            case Ready():
                await self._ready(event)
            case Delayed(code=code, retry_in=seconds):
                log.warning("%s: what was said had to wait for %.1f s", code, seconds)
            case Error(code=code, text=text):
                log.warning("%s: %s", code, text)

    async def _ready(self, ready: Ready) -> None:
        """Where the lines do not join, those between are in the history, but for another one."""
        reset, self._reset = self._reset, None
        place = self._place.token
        log.info("In the room %s, at message %d.", ready.room, ready.seq)
        if reset == "forked":
            log.warning("The room's history is another one: going on from its end.")
        elif reset is not None and place is not None:
            log.warning("Too far behind to resume (%s): reading the history.", reset)
            async for line in self._room.history(after=place.seq, before=ready.seq + 1):
                if isinstance(line, Message):
                    await self._handle(line)
        if place is None or reset is not None:
            await self._place.move(Token(ready.seq, ready.h))

    async def _handle(self, message: Message) -> None:
        if message.mine:
            return
        self._room.begin(message)
        try:
            await self._bot(self._room, message)
        except Refused as refused:  # the same would come again: a message must not stop the bot
            log.warning(
                "What was said in answer to message %d was refused: %s", message.seq, refused
            )
        await self._place.move(Token(message.seq, message.h))


async def run_bot(
    bot: Bot,
    url: str,
    name: str,
    *,
    place: Path | str | None = None,
    key: str | None = None,
    backlog: int = 0,
    options: Options = DEFAULTS,
    dial: OpenStream | None = None,
) -> None:
    """Call `bot(room, message)` with each message of the room, in order, until cancelled.

    The bot's own messages are left out. `place` is a file: with it a bot that is killed and
    started again goes on where it was, also if the server was away meanwhile; without it, and at
    its first start, it begins with what is said from now on, and `backlog` messages before.
    The ids of what it says are derived from `key`, a secret; a random one in `place`, if none is
    given. `options` and `dial` are as for `open_room`; by default the first join is tried for
    ever.

    An exception of the bot's comes out, and the message is given to it again at the next start;
    but a `Refused` is logged, and the message counts as handled. Raises `Rejected` or `Expelled`
    if the bot can't be in the room; `ValueError` or `OSError` if `place` can't be read or written.
    """
    file = await open_place(None if place is None else Path(place), key)
    async with open_room(
        url, name, since=file.token, backlog=backlog, key=file.key, options=options, dial=dial
    ) as room:
        handling = _Handling(bot, BotRoom(room, file), file)
        async for event in room:
            await handling.take(event)


def run(
    bot: Bot,
    url: str,
    name: str,
    *,
    place: Path | str | None = None,
    key: str | None = None,
    backlog: int = 0,
    options: Options = DEFAULTS,
) -> None:
    """A bot's whole program: `run_bot` until SIGINT or SIGTERM, with a log on standard error.

    Parameters and errors are those of `run_bot`.
    """
    logging.basicConfig(format="%(asctime)s %(message)s")  # nothing, where it is configured
    logging.getLogger("edgechat").setLevel(logging.INFO)
    main = partial(run_bot, bot, url, name, place=place, key=key, backlog=backlog, options=options)
    trio.run(_until_signal, main)


async def _until_signal(main: Callable[[], Awaitable[None]]) -> None:
    failure: Exception | None = None
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def cancel() -> None:
                await anext(signals)
                nursery.cancel_scope.cancel()

            nursery.start_soon(cancel)
            try:
                await main()
            except Exception as error:  # raised below: a nursery would put it into a group
                failure = error
            nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
