"""Room names, user names, private ids: what they may be, and their one spelling."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import NamedTuple

from edgechat.chat.errors import Close, Refusal

MAX_ROOM_CHARS = 32
_PRIVATE_ID = re.compile(r"[0-9a-f]{64}")
RANDOM_BYTES = 16
_MAC_BYTES = 16

# Characters that turn the order of what stands around them: a name with one could pose as another.
# Unicode Standard Annex 9, "Explicit Directional Embedding, Override, Isolate".
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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
    """Normalise a public room's name: NFKC, case folding, `_` and blank to `-`.

    Raises `BadRoomName` for any that is empty, over 32 characters (code points, normalised), or
    has anything but letters, digits, combining marks and `-`.
    """
    if len(text) > 4 * MAX_ROOM_CHARS:  # no normal form shortens a name that much
        raise BadRoomName("Name too long")
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    name = name.replace("_", "-").replace(" ", "-")
    if not name:
        raise BadRoomName("A room needs a name")
    if len(name) > MAX_ROOM_CHARS:
        raise BadRoomName("Name too long")
    for character in name:
        category = unicodedata.category(character)
        if character != "-" and category[0] not in "LM" and category != "Nd":
            raise BadRoomName("A room's name may have letters, digits and '-' only")
    return name


def user_name(text: str | None, max_chars: int) -> str:
    """The name a session goes by: `anonymous` without one, as in the demo.

    Raises `Refusal`: `name_too_long` (close 1009, the demo's) or `bad_name` (close 1008).
    """
    if not text:
        return "anonymous"
    if len(text) > max_chars:
        raise Refusal(
            "name_too_long",
            f"Name too long: at most {max_chars} characters.",
            close=Close.TOO_BIG,
        )
    if text.isspace():
        raise Refusal("bad_name", "A name needs more than blanks.", close=Close.POLICY)
    for character in text:
        if character in _BIDI or unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise Refusal(
                "bad_name",
                "A name may not have control characters or turn the direction of text.",
                close=Close.POLICY,
            )
    return text
