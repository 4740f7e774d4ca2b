"""`edgechat chat`."""

from __future__ import annotations

import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from edgechat.cli.showing import dim, printable, wants_colour
from edgechat.cli.talking import (
    EXIT_STATUSES,
    address_of,
    check_private,
    name_option,
    options_of,
    run,
    url_option,
    wait_option,
)

if TYPE_CHECKING:
    from edgechat.client import Options, Room

_BACKLOG = 30  # messages shown at first
_WAITING = 100  # messages that may wait for the server

HELP = """Enter sends, Alt-Enter begins a new line, up and down call back what you said.
/who  who is here      /quit or Ctrl-D  leave      //…  say something that begins with /"""

_EXAMPLES = f"""Examples:

\b
  edgechat chat lobby --name alice
  EDGECHAT_URL=https://chat.example.org edgechat chat ops

\b
{HELP}

Exit status: 0 you left. 1 the room can't be joined, and one line says why. 2 an argument is
wrong. {EXIT_STATUSES}.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("room")
@url_option()
@name_option
@wait_option(10, "How long to wait for the server at the start. Afterwards it is waited for.")
def chat(room: str, url: str, name: str, wait: float) -> None:
    """Be in a room, in a terminal.

    What you send while the server is away is sent when it is back.
    """
    address = address_of(url, room)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("`chat` needs a terminal. Programs take `send` and `tail`.")
    run(partial(_chat, address, name, options_of(wait)))


async def _chat(address: str, name: str, options: Options) -> int:
    import trio

    from edgechat.cli.screen import key_by_key
    from edgechat.client import open_room

    await check_private(address, options)
    async with open_room(address, name, backlog=_BACKLOG, options=options) as room:
        with key_by_key():
            async with trio.open_nursery() as nursery:
                talk = Chat(room, name or "anonymous")
                nursery.start_soon(talk.show_events)
                nursery.start_soon(talk.send)
                nursery.start_soon(talk.fit)
                await talk.read_keys()
                nursery.cancel_scope.cancel()
    return 0


class Chat:
    """Keys come in and are sent; what happens in the room is shown."""

    def __init__(self, room: Room, name: str) -> None:
        import trio

        from edgechat.cli.editor import Editor
        from edgechat.cli.keys import Keys
        from edgechat.cli.screen import Screen

        self._room = room
        self._name = printable(name)
        self._colour = wants_colour(sys.stdout)
        self._keys = Keys()
        self._editor = Editor()
        self._screen = Screen(self._editor)
        self._waiting = 0  # messages that are not stored yet
        self._was_warned = False
        self._to_send, self._sent = trio.open_memory_channel[str](_WAITING)
        self._draw()

    async def read_keys(self) -> None:
        """Until the user leaves."""
        from edgechat.cli.keys import Key
        from edgechat.cli.screen import typed

        try:
            while data := await typed():
                for key in self._keys.feed(data):
                    if key is Key.END_OF_INPUT and not self._editor.text:
                        return
                    text = self._editor.press(key)
                    if text is not None and text.strip() and self._enter(text):
                        return
                if self._editor.text:
                    self._room.typing()
                self._draw()
        finally:
            self._screen.clear()

    async def send(self) -> None:
        """Send what was entered, in order."""
        from edgechat.client import Refused

        async for text in self._sent:
            try:
                await self._room.say(text)
            except (Refused, ValueError) as refused:
                self._tell(f"Not sent: {printable(getattr(refused, 'text', str(refused)))}")
                self._editor.offer(text)
            self._waiting -= 1
            self._draw()

    async def show_events(self) -> None:
        """Show what happens."""
        from edgechat.cli.happening import words_of

        async for event in self._room:
            if text := words_of(event, self._colour):
                self._screen.above(text)

    async def fit(self) -> None:
        """Draw anew when the window has another size."""
        import trio

        with trio.open_signal_receiver(signal.SIGWINCH) as signals:
            async for _ in signals:
                self._draw()

    def _enter(self, text: str) -> bool:
        """Obey a line; returns whether the user leaves."""
        import trio

        command = text.strip()
        if command == "/quit":
            is_left = not self._waiting or self._was_warned
            self._was_warned = True
            if not is_left:
                self._tell(f"{self._waiting} not sent yet. /quit again leaves without.")
            return is_left
        if command == "/who":
            self._tell(", ".join(map(printable, self._room.roster)) or "nobody")
        elif command == "/help":
            self._tell(HELP)
        elif text.startswith("/") and not text.startswith("//"):
            self._tell(f"{printable(command)} is not a command: /help lists them.")
        else:
            try:
                self._to_send.send_nowait(text.removeprefix("/") if text[:2] == "//" else text)
                self._waiting += 1
            except trio.WouldBlock:
                self._tell("Too much waits for the server already.")
                self._editor.offer(text)
        return False

    def _tell(self, text: str) -> None:
        self._screen.above(dim(text, self._colour))

    def _draw(self) -> None:
        waiting = f" ({self._waiting} waiting)" if self._waiting else ""
        self._screen.prompt = f"{self._name}{waiting}> "
        self._screen.draw()
