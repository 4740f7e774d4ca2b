"""Room names, user names, private ids: what they may be, and their one spelling."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import NamedTuple

from edgechat.chat.errors import Close, Refusal
from edgechat.chat.visible import has_hidden, shows_nothing

MAX_ROOM_CHARS = 32
_PRIVATE_ID = re.compile(r"[0-9a-f]{64}")
RANDOM_BYTES = 16
_MAC_BYTES = 16

# Scripts that are written with joiners have them in words, or not: the room is the same one.
_JOINERS = re.compile("[\u200c\u200d]")
# What stands between the parts of a word (Unicode Standard Annex 31, table 3a): apostrophes of
# French and Italian, the middle dots of Catalan and Katakana, Hebrew's geresh, Tibetan's tsheg.
_SEPARATORS = re.compile("[_ '\u2019\u00b7\u2010\u2027\u058a\u05f3\u05f4\u0f0b\u30a0\u30fb]")

# Characters that turn the order of what stands around them: a name with one could pose as another.
# Unicode Standard Annex 9, "Explicit Directional Embedding, Override, Isolate".
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class BadRoomName(ValueError):
    """Names no room. Its text says why, for a person."""


class RoomKey(NamedTuple):
    """What a room is known by. A public room's name is normalised; a private one's is its id."""

    name: str
    private: bool

    def __str__(self) -> str:
        """For logs: a private room's id is its only lock, and is never written there."""
        return "a private room" if self.private else f"room {self.name!r}"


class PrivateIds:
    """Makes and checks private rooms' ids: 128 random bits, then their 128-bit MAC.

    Nothing needs storing: an id that this key did not sign was not given out by this server.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, random: bytes) -> str:
        """A new id, 64 lower-case hex digits, of `RANDOM_BYTES` random bytes."""
        return (random + self._mac(random)).hex()

    def are_ours(self, id: str) -> bool:
        """Whether `id`, 64 lower-case hex digits, was made here. Takes the same time either way."""
        raw = bytes.fromhex(id)
        return hmac.compare_digest(self._mac(raw[:RANDOM_BYTES]), raw[RANDOM_BYTES:])

    def _mac(self, random: bytes) -> bytes:
        return hashlib.blake2b(random, key=self._key, digest_size=_MAC_BYTES).digest()


def room_key(text: str, ids: PrivateIds) -> RoomKey:
    """The room that `text` (already percent-decoded) names.

    Raises `BadRoomName`: an id that is not ours is refused like any name that can't exist.
    """
    if _PRIVATE_ID.fullmatch(text.lower()):
        id = text.lower()
        if ids.are_ours(id):
            return RoomKey(id, private=True)
        raise BadRoomName("Name too long")
    return RoomKey(public_room_name(text), private=False)


def public_room_name(text: str) -> str:
    """Normalise a public room's name: NFKC, case folding, no joiners; `_`, blanks and the
    separators within words become `-`.

    Raises `BadRoomName` for any that is empty, over 32 characters (code points, normalised), or
    has anything but letters, digits, combining marks and `-`.
    """
    if len(text) > 4 * MAX_ROOM_CHARS:  # no normal form shortens a name that much
        raise BadRoomName("Name too long")
    folded = unicodedata.normalize("NFKC", text).casefold()
    name = unicodedata.normalize("NFKC", _JOINERS.sub("", folded))
    name = _SEPARATORS.sub("-", name)
    if not name:
        raise BadRoomName("A room needs a name")
    if len(name) > MAX_ROOM_CHARS:
        raise BadRoomName("Name too long")
    for character in name:
        category = unicodedata.category(character)
        if character != "-" and category[0] not in "LM" and category != "Nd":
            raise BadRoomName("A room's name may have letters, digits and '-' only")
    if not name.isascii() and shows_nothing(name):
        raise BadRoomName("A room's name needs a character that can be seen")
    return name


def user_name(text: str | None, max_chars: int) -> str:
    """The name a session goes by: `anonymous` without one, as in the demo.

    It is normalised (NFC; blanks at the ends go, those between words become one), so that names
    that look the same are the same.

    Raises `Refusal`: `name_too_long` (close 1009, the demo's) or `bad_name` (close 1008).
    """
    if not text:
        return "anonymous"
    if len(text) > 4 * max_chars:  # no normal form shortens a name that much
        raise _too_long(max_chars)
    for character in text:
        if character in _TURNING or unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise _bad_name("A name may not have control characters or turn the direction of text.")
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if len(name) > max_chars:
        raise _too_long(max_chars)
    if shows_nothing(name):
        raise _bad_name("A name needs a character that can be seen.")
    if has_hidden(name):
        raise _bad_name("A name may not have invisible characters.")
    return name


def _bad_name(text: str) -> Refusal:
    return Refusal("bad_name", text, close=Close.POLICY)


def _too_long(max_chars: int) -> Refusal:
    text = f"Name too long: at most {max_chars} characters."
    return Refusal("name_too_long", text, close=Close.TOO_BIG)
