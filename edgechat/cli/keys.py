"""What a terminal sends, taken apart into keys."""

from __future__ import annotations

import codecs
import re
from enum import Enum, auto


class Key(Enum):
    """Keys that are not characters."""

    ENTER = auto()
    NEW_LINE = auto()  # Alt and Enter
    BACKSPACE = auto()
    DELETE = auto()
    LEFT = auto()
    RIGHT = auto()
    HOME = auto()
    END = auto()
    UP = auto()
    DOWN = auto()
    ERASE_WORD = auto()
    ERASE_LINE = auto()
    REDRAW = auto()
    END_OF_INPUT = auto()


_CONTROL = {
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x7f": Key.BACKSPACE,
    "\x08": Key.BACKSPACE,
    "\x01": Key.HOME,
    "\x05": Key.END,
    "\x02": Key.LEFT,
    "\x06": Key.RIGHT,
    "\x17": Key.ERASE_WORD,
    "\x15": Key.ERASE_LINE,
    "\x0c": Key.REDRAW,
    "\x04": Key.END_OF_INPUT,
}
_ESCAPES = {
    "[A": Key.UP,
    "[B": Key.DOWN,
    "[C": Key.RIGHT,
    "[D": Key.LEFT,
    "[H": Key.HOME,
    "[F": Key.END,
    "[1~": Key.HOME,
    "[4~": Key.END,
    "[3~": Key.DELETE,
    "OA": Key.UP,
    "OB": Key.DOWN,
    "OC": Key.RIGHT,
    "OD": Key.LEFT,
    "OH": Key.HOME,
    "OF": Key.END,
    "\r": Key.NEW_LINE,
    "\n": Key.NEW_LINE,
}
_PASTE_BEGIN, _PASTE_END = "\x1b[200~", "\x1b[201~"
# An escape sequence (ECMA-48, 5.4: parameters, intermediates, a final byte), or one key with Alt.
_ESCAPE = re.compile("\x1b(\\[[0-?]*[ -/]*[@-~]|O.|[^\\[O])", re.DOTALL)
_LONGEST = 32  # characters of an escape sequence


class Keys:
    """Takes bytes as they come; what is cut off waits for the rest."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, data: bytes) -> list[Key | str]:
        """The keys in it: a `Key`, or text that was typed or pasted."""
        self._rest += self._decode(data)
        keys: list[Key | str] = []
        while self._rest and (taken := self._take(keys)):
            self._rest = self._rest[taken:]
        return keys

    def _take(self, keys: list[Key | str]) -> int:
        """Add the first key; returns the characters that it took, 0 where some are missing."""
        first = self._rest[0]
        if self._rest.startswith(_PASTE_BEGIN):
            return self._take_paste(keys)
        if first == "\x1b":
            return self._take_escape(keys)
        if first in _CONTROL:
            keys.append(_CONTROL[first])
        elif first == "\t" or first.isprintable() or not first.isascii():
            keys.append(first)
        return 1

    def _take_paste(self, keys: list[Key | str]) -> int:
        end = self._rest.find(_PASTE_END)
        if end < 0:
            return 0
        text = self._rest[len(_PASTE_BEGIN) : end].replace("\r\n", "\n").replace("\r", "\n")
        keys.append(text)
        return end + len(_PASTE_END)

    def _take_escape(self, keys: list[Key | str]) -> int:
        found = _ESCAPE.match(self._rest)
        if found is None:
            return 1 if len(self._rest) > _LONGEST else 0
        if found[1] in _ESCAPES:
            keys.append(_ESCAPES[found[1]])
        return found.end()
