"""A terminal with a prompt in its last row, and everything else above it."""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from edgechat.cli.editor import Editor

_IN, _OUT = 0, 1
_BLOCK = 4_096
_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"  # a paste is told from typing (xterm)
_NO_KEY = b"\0"


class Screen:
    """Draws; `prompt` is what stands before the text."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self.prompt = "> "

    def above(self, text: str) -> None:
        """Show a text above the prompt. It must be printable."""
        _write(f"\r\x1b[J{text}\n{self._row()}")

    def draw(self) -> None:
        """Show the prompt as it is now."""
        _write(f"\r\x1b[J{self._row()}")

    def clear(self) -> None:
        """Take the prompt away."""
        _write("\r\x1b[J")

    def _row(self) -> str:
        row, column = self._editor.view(self.prompt, os.get_terminal_size(_OUT).columns)
        return f"{row}\r" + (f"\x1b[{column}C" if column else "")


@contextmanager
def key_by_key() -> Iterator[None]:
    """Get keys as they are pressed, without an echo. Ctrl-C stays a signal."""
    before = termios.tcgetattr(_IN)
    try:
        tty.setcbreak(_IN)
        mode = termios.tcgetattr(_IN)
        mode[6][termios.VSUSP] = _NO_KEY  # a shell that comes back would find it like this
        termios.tcsetattr(_IN, termios.TCSANOW, mode)
        _write(_PASTE_ON)
        yield
    finally:
        _write(_PASTE_OFF)
        termios.tcsetattr(_IN, termios.TCSADRAIN, before)


async def typed() -> bytes:
    """What was typed meanwhile; nothing if the terminal is gone."""
    await trio.lowlevel.wait_readable(_IN)
    return os.read(_IN, _BLOCK)


def _write(text: str) -> None:
    data = text.encode(errors="replace")
    while data:
        data = data[os.write(_OUT, data) :]
