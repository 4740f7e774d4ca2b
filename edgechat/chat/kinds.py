"""The kinds of record in a history: who may see one, and what a replay does with it.

A plain message has no `kind` key. Any later kind (a deletion, a topic, ...) takes a `seq` and an
`h` like a message, and a client that did not say `"v":2` is not sent it (`docs/protocol.md`).
To add a kind, add it here; `backlog`, `rooms.catchup`, `apply` and `history.replay` ask this table.
What makes a record of it is elsewhere: a frame in `protocol`, and `draft`, whose `StoredLine` names
its kind. Only lines that are read back are searched for it: that takes as long as two calls.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """What is done with a record of this kind."""

    for_v1: bool  # clients of the demo's protocol are sent it
    has_rules: bool  # `edgechat replay` makes it again from what it says, by the room's rules


MESSAGE = ""
KINDS = {
    MESSAGE: Kind(for_v1=True, has_rules=True),
    # In the place of a damaged line: made when it is read, and never stored.
    "lost": Kind(for_v1=False, has_rules=False),
}
# A newer server's: passed on as it is to those who may know it.
_UNKNOWN = Kind(for_v1=False, has_rules=False)

# JSON escapes quotation marks inside a string, so this can only be a key. It is not the first one.
_KEY = b',"kind":'
_KIND = re.compile(_KEY + rb'"([^"\\]*)"')


def kind_of(line: bytes) -> Kind:
    """The kind of a stored line, by its own word."""
    if _KEY not in line:
        return KINDS[MESSAGE]
    found = _KIND.search(line)
    return KINDS.get(found[1].decode(errors="replace"), _UNKNOWN) if found else _UNKNOWN


def is_for(line: bytes | None, *, v2: bool) -> bool:
    """Whether a client of that version is sent this line, or frame; None is a damaged one."""
    if v2:
        return True
    return line is not None and kind_of(line).for_v1
