"""Who is in a room, and who types there: what an open room hears of other nodes, and tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgechat.chat.hear import Here, News, Others
from edgechat.nodes.keys import RoomKeys
from edgechat.rooms.storage import Wake


class RoomNews:
    """The part of an open room's log that is not stored."""

    def __init__(self, room: RoomKeys, wake: Wake) -> None:
        self.keys = room
        self.here: Here | None = None  # who is in the room on this node
        self.others: dict[str, Others] = {}  # and on other nodes, as the room was told
        self.changed: Callable[[RoomNews], None] = _nobody
        self.typed: Callable[[RoomNews, str], None] = _nobody_hears
        self._news: list[News] = []
        self._wake = wake

    def tell(self, news: News) -> None:
        """Something happened on another node."""
        self._news.append(news)
        self._wake()

    # For the room: see `rooms.storage.Log`.

    def news(self) -> Sequence[News]:
        """Who came, went and types on other nodes."""
        news, self._news = self._news, []
        return news

    def show(self, here: Here) -> None:
        """Somebody came or went here."""
        self.here = here
        self.changed(self)

    def show_typing(self, name: str) -> None:
        """Somebody types here."""
        self.typed(self, name)


def _nobody(_: RoomNews) -> None:
    """It is not open yet."""


def _nobody_hears(_: RoomNews, name: str) -> None:
    """It is not open yet."""
