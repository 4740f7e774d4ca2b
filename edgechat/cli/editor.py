"""A line that is being typed, and how it looks in a row of a terminal. No I/O."""

from __future__ import annotations

import unicodedata

from edgechat.cli.keys import Key

_NEW_LINE = "⏎"
_REMEMBERED = 200  # lines that can be called back


class Editor:
    """A text and a place in it."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self._said: list[str] = []
        self._called = 0  # how far back: 0 is the line that is being typed
        self._typed = ""  # that line, while another is called back

    def press(self, key: Key | str) -> str | None:
        """A key was pressed, or text was typed or pasted. Returns the line once it is entered."""
        if isinstance(key, str):
            self._put(key)
        elif key is Key.ENTER:
            return self._enter()
        elif key is Key.NEW_LINE:
            self._put("\n")
        elif key in (Key.UP, Key.DOWN):
            self._call(self._called + (1 if key is Key.UP else -1))
        elif key in (Key.LEFT, Key.RIGHT, Key.HOME, Key.END):
            self.at = self._place(key)
        else:
            self._erase(key)
        return None

    def offer(self, text: str) -> None:
        """Put a text there, if nothing is being typed."""
        if not self.text:
            self._set(text)

    def _put(self, text: str) -> None:
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def _set(self, text: str) -> None:
        self.text, self.at = text, len(text)

    def _enter(self) -> str:
        text = self.text
        if text.strip():
            self._said = [*self._said, text][-_REMEMBERED:]
        self._called = 0
        self._set("")
        return text

    def _call(self, back: int) -> None:
        if not 0 <= back <= len(self._said):
            return
        if self._called == 0:
            self._typed = self.text
        self._called = back
        self._set(self._said[-back] if back else self._typed)

    def _place(self, key: Key) -> int:
        if key is Key.HOME:
            return 0
        if key is Key.END:
            return len(self.text)
        at = self.at + (1 if key is Key.RIGHT else -1)
        while 0 < at < len(self.text) and width_of(self.text[at]) == 0:  # within one character
            at += 1 if key is Key.RIGHT else -1
        return min(max(at, 0), len(self.text))

    def _erase(self, key: Key) -> None:
        start, end = self.at, self.at
        if key is Key.BACKSPACE:
            start = max(0, self.at - 1)
        elif key is Key.DELETE:
            end = self._place(Key.RIGHT)
        elif key is Key.ERASE_LINE:
            start = 0
        elif key is Key.ERASE_WORD:
            start = len(self.text[: self.at].rstrip().rpartition(" ")[0])
            start += bool(start)
        self.text = self.text[:start] + self.text[end:]
        self.at = start

    def view(self, prompt: str, columns: int) -> tuple[str, int]:
        """The row to show, and the column of the cursor in it (from 0)."""
        room = max(columns - text_width(prompt) - 1, 1)
        shown = [_shown(character) for character in self.text]
        first, used = self.at, 0
        while first > 0 and used + text_width(shown[first - 1]) <= room:
            first -= 1
            used += text_width(shown[first])
        row, rest = prompt, room
        for character in shown[first:]:
            rest -= text_width(character)
            if rest < 0:
                break
            row += character
        return row, text_width(prompt) + used


def _shown(character: str) -> str:
    if character == "\n":
        return _NEW_LINE
    if character == "\t":
        return " "
    return character if character.isprintable() or width_of(character) == 0 else "?"


def width_of(character: str) -> int:
    """The columns that a character takes: 0, 1 or 2."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def text_width(text: str) -> int:
    """The columns that a text takes."""
    return sum(map(width_of, text))
