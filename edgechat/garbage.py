"""When Python looks for garbage that does not go away by itself."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """From now on seldom, and never among what is there already: a start calls it at its end.

    A message makes few objects and frees them by itself: 9% less CPU in small rooms.
    `docs/decisions/0005-garbage.md`.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
