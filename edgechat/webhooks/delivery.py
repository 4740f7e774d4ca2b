"""The way of events to one target: signed, tried again, and said in the log."""

from __future__ import annotations

import logging

import trio

from edgechat import system
from edgechat.settings import Settings
from edgechat.webhooks.answer import Answer, Fate, Patience, is_held, of_status, wait_after
from edgechat.webhooks.event import Event
from edgechat.webhooks.hook import Hook
from edgechat.webhooks.poster import NETWORK_ERRORS, Dial, Poster
from edgechat.webhooks.signing import sign
from edgechat.webhooks.visit import Visit

log = logging.getLogger(__name__)

_HOUR = 3_600.0  # seconds between two words about the same trouble
_MOST_WORDS = 200  # characters of what a library says of an answer that is none


class Delivery:
    """Posts one event after the other. `rest` it whenever nothing is left to post.

    `delivered` and `failures` are sums since the start: events that the target took, and tries
    in vain. `is_held` says that the next event waits for somebody to look at its refusal.
    """

    def __init__(self, hook: Hook, secret: bytes, settings: Settings, dial: Dial) -> None:
        self.delivered = self.failures = 0
        self.is_held = False
        self._name = f"of {hook.key} to {hook.target}"
        self._secret = secret
        self._timeout = settings.webhook_timeout
        self._patience = Patience(
            settings.webhook_wait, settings.webhook_tries, settings.webhook_held
        )
        self._poster = Poster(hook.target, dial)
        self._tries = 0  # of the next event, in vain
        self._told_at = 0.0  # when the log was told of the trouble

    def __str__(self) -> str:
        return self._name

    async def deliver(self, event: Event, visit: Visit) -> Fate:
        """Try until the target has it (`DELIVERED`), wants no more (`GONE`), or the visit is over.

        That last is `FAILED`: the same event is to be delivered in the next visit.
        """
        while not visit.is_over:
            answer = await self._post(event)
            if answer.fate is Fate.DELIVERED:
                self.delivered += 1
                if self._tries:
                    log.warning("The webhook %s goes on, after %d tries.", self, self._tries)
                self._tries, self.is_held = 0, False
                return answer.fate
            self.failures += 1
            if answer.fate is Fate.GONE:
                return answer.fate
            self._tries += 1
            self._note(answer)
            await visit.sleep(wait_after(answer, self._tries, self._patience))
        return Fate.FAILED

    async def rest(self) -> None:
        """Drop the connection: the target would, while nothing is said."""
        await self._poster.close()

    async def _post(self, event: Event) -> Answer:
        stamp = system.now_ms() // 1_000
        headers = [
            ("Content-Type", "application/json"),
            ("webhook-id", event.id),
            ("webhook-timestamp", str(stamp)),
            ("webhook-signature", sign(self._secret, event.id, stamp, event.body)),
        ]
        try:
            with trio.fail_after(self._timeout):
                return of_status(await self._poster.post(headers, event.body))
        except trio.TooSlowError:
            return Answer(Fate.FAILED, f"no answer in {self._timeout:g} s")
        except trio.BrokenResourceError as error:
            return Answer(Fate.FAILED, _words(error.__cause__ or error))
        except NETWORK_ERRORS as error:
            return Answer(Fate.FAILED, _words(error))

    def _note(self, answer: Answer) -> None:
        """The log is told when trouble begins, when an event is held, and then once an hour."""
        was_held, self.is_held = self.is_held, is_held(answer, self._tries, self._patience)
        now = trio.current_time()
        if self._tries > 1 and self.is_held == was_held and now - self._told_at < _HOUR:
            return
        self._told_at = now
        if self.is_held:
            text = "The webhook %s is held, as its target refuses a line: %s. It is tried hourly."
            log.error(text, self, answer.words)
        else:
            log.warning("The webhook %s is tried again and again: %s.", self, answer.words)


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:_MOST_WORDS].rstrip(".")
