"""All webhooks of a server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.rooms.registry import Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings
from edgechat.webhooks.files import load_secret
from edgechat.webhooks.hook import Hook, parse_hook

if TYPE_CHECKING:
    from edgechat.webhooks.webhook import Webhook

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookStatistics:
    """As of now; `delivered` and `failures` are sums since the start."""

    delivered: int  # events that targets took
    failures: int  # tries in vain
    held: int  # webhooks whose next line is refused
    behind: int  # lines that targets do not have yet


class Webhooks:
    """What `--webhook` asked for. Without one of them nothing is imported, made or run."""

    def __init__(
        self, settings: Settings, ids: PrivateIds, has: Callable[[RoomKey], bool] | None = None
    ) -> None:
        """Raises `BadSecret`. What is not a room of this server is said in the log.

        `has` says which rooms are this process's, where there are several: without it all are.
        """
        self._settings = settings
        self._hooks: dict[Hook, None] = {}
        self._running: list[Webhook] = []
        for text in settings.webhooks:
            try:
                hook = parse_hook(text, ids)
            except ValueError as error:
                log.error("A webhook does not run: %s.", error)
            else:
                if has is None or has(hook.key):
                    self._hooks[hook] = None
        self._secret = b""
        if self._hooks:
            secret = settings.webhook_secret, settings.webhook_secret_file
            self._secret = load_secret(settings.data, *secret)

    def statistics(self) -> WebhookStatistics:
        """What went out."""
        deliveries = [one.delivery for one in self._running]
        return WebhookStatistics(
            sum(one.delivered for one in deliveries),
            sum(one.failures for one in deliveries),
            sum(one.is_held for one in deliveries),
            sum(one.behind for one in self._running),
        )

    async def run(self, rooms: Registry[RoomKey, Room], is_open: Callable[[], bool]) -> None:
        """Run them all, until the server stops: then each ends when its room does."""
        if not self._hooks:
            return
        from edgechat.webhooks.delivery import Delivery
        from edgechat.webhooks.poster import Dialer
        from edgechat.webhooks.webhook import Webhook

        dial = Dialer()
        async with trio.open_nursery() as nursery:
            for hook in self._hooks:
                delivery = Delivery(hook, self._secret, self._settings, dial)
                webhook = Webhook(hook, delivery, self._settings)
                self._running.append(webhook)
                nursery.start_soon(webhook.run, rooms, is_open, name="webhook")
