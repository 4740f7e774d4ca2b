"""Numbered messages, as frames made beforehand."""

from __future__ import annotations

from bench.load.frames import masked, text_frame

# Stands once in every message, and nowhere else in what a server sends.
MARK = b"msg#"
TEXT_CHARS = 44

FOUR_DIGITS = [masked(b"%04d" % number) for number in range(10_000)]


class NumberedMessages:
    """The messages of one sender, each put together from four masked pieces.

    The text is `msg#SSSSNNNNNNNN…`: sender, number, filling. The digits lie at multiples of four
    bytes, where the mask starts again, so that masked digits can be prepared. With ids, the
    idempotency key repeats the number.
    """

    def __init__(self, sender: int, *, ids: bool = False) -> None:
        """`sender` is a number below 10,000."""
        filling = "and so we talk, all day long".ljust(TEXT_CHARS - 16, ".")
        head = b'{"message":"' + MARK + b"%04d" % sender
        tail = f'{filling}","id":"c{sender:07}'.encode() if ids else f'{filling}"}}'.encode()
        end = b'"}' if ids else b""
        size = len(head) + 8 + len(tail) + (8 + len(end) if ids else 0)
        if (len(head) | (len(tail) if ids else 0)) % 4:
            raise AssertionError("digits must lie where the mask begins")
        whole = text_frame(head + b"0" * 8 + tail + (b"0" * 8 + end if ids else b""))
        start = len(whole) - size
        self._head = whole[: start + len(head)]
        self._tail = masked(tail)
        self._end = masked(end)
        self._ids = ids

    def frame(self, number: int) -> bytes:
        """The frame of one message."""
        high, low = divmod(number, 10_000)
        digits = FOUR_DIGITS[high] + FOUR_DIGITS[low]
        if self._ids:
            return self._head + digits + self._tail + digits + self._end
        return self._head + digits + self._tail
