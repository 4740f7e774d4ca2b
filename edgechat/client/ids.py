"""The ids that this client gives to its messages, and how it knows them again.

An id is a nonce and a MAC of it, 16 hex digits each. So no list of ids has to be kept, and a
process that has the key knows the ids of the one before it.
"""

from __future__ import annotations

import secrets
from collections import deque
from hashlib import blake2b

DIGEST_BYTES = 8
REMEMBERED = 10_000  # ids of the caller's own making: in how many lines the server knows an id


class Ids:
    """Gives out ids. `id in ids` says whether one was given out by a holder of the same key.

    The key is a secret: whoever has it can say something under an id before we do.
    """

    def __init__(self, key: str | None = None) -> None:
        secret = secrets.token_bytes() if key is None else key.encode()
        self._key = blake2b(secret, digest_size=32).digest()
        self._given: set[str] = set()
        self._order: deque[str] = deque()

    def new(self) -> str:
        """A fresh id."""
        return self._with_mac(secrets.token_hex(DIGEST_BYTES))

    def derived(self, *parts: object) -> str:
        """The id for these parts: the same in each process that has the key."""
        return self._with_mac(self._mac("derived", *parts))

    def remember(self, id: str) -> None:
        """Take an id that the caller chose for one of ours; a later process won't know it."""
        if id in self:
            return
        self._given.add(id)
        self._order.append(id)
        if len(self._order) > REMEMBERED:
            self._given.discard(self._order.popleft())

    def __contains__(self, id: object) -> bool:
        if not isinstance(id, str):
            return False
        return id in self._given or id == self._with_mac(id[: 2 * DIGEST_BYTES])

    def _with_mac(self, nonce: str) -> str:
        return nonce + self._mac("mac", nonce)

    def _mac(self, *parts: object) -> str:
        data = "\0".join(map(str, parts)).encode(errors="replace")
        return blake2b(data, key=self._key, digest_size=DIGEST_BYTES).hexdigest()
