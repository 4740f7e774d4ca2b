"""Whether histories can be stored now, and a log that a full disk does not flood.

What was tried last counts, place by place: a folder of histories, or the background `fsync`. Where
nothing is tried any more, as nobody is sent to a server that is not ready, a small file is written
instead. All of it is for the event loop's thread, but for `probe`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from edgechat import system
from edgechat.history.data_folder import DataFolder

log = logging.getLogger(__name__)

_QUIET = 60.0  # seconds between two words about the same trouble
_PATIENCE = 1.0  # seconds from one probe to the next
_TOLD = 1_000  # troubles that are told one by one; more of them at once are one
_REST = "Other histories could not be stored"
_PROBED = bytes(4_096)


class Trouble:
    """One thing that does not work: since its first failure, how often it was tried in vain."""

    __slots__ = ("failures", "told_at", "untold")

    def __init__(self, now: float) -> None:
        self.failures = 1
        self.untold = 0
        self.told_at = now


class Health:
    """What worked and what failed, as whoever stores says it."""

    def __init__(self) -> None:
        self._failing: dict[str, float] = {}  # by place: when it was probed, or failed first
        self._troubles: dict[str, Trouble] = {}  # by what it is about

    @property
    def works(self) -> bool:
        """Whether what was tried last in each place was stored."""
        return not self._failing

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing for `worked` to do."""
        return not self._failing and not self._troubles

    def worked(self, place: str, what: str) -> None:
        """Something was stored. `what` is what `failed` was told where it could not be."""
        if self.is_quiet:
            return
        self._failing.pop(place, None)
        if trouble := self._troubles.pop(what, None):
            log.warning("%s, %d times. Now it works again.", what, trouble.failures)

    def failed(self, place: str, what: str, reason: str) -> None:
        """Something could not be stored: `what` says what, as "Messages in … could not be stored".

        The log says so when it begins to fail, and then once a minute how often it did.
        """
        now = system.monotonic()
        self._failing.setdefault(place, now)
        if what not in self._troubles and len(self._troubles) >= _TOLD:
            what = _REST
        trouble = self._troubles.get(what)
        if trouble is None:
            self._troubles[what] = Trouble(now)
            log.error("%s: %s", what, reason)
            return
        trouble.failures += 1
        trouble.untold += 1
        if now - trouble.told_at >= _QUIET:
            log.error("%s, %d times more: %s", what, trouble.untold, reason)
            trouble.told_at, trouble.untold = now, 0

    async def check(self, folder: DataFolder) -> bool:
        """`works`; where it does not, and nothing was tried for a while, after such a trial."""
        now = system.monotonic()
        if self.works or now - max(self._failing.values()) < _PATIENCE:
            return self.works
        places = list(self._failing)
        self._failing.update(dict.fromkeys(places, now))
        try:
            await system.run_in_thread(probe, folder)
        except OSError:
            return False
        for place in places:
            self._failing.pop(place, None)
        return self.works


def probe(folder: DataFolder) -> None:
    """Store a small file, and remove it. Raises `OSError`. For a worker thread."""
    if not folder.is_in_place():
        raise FileNotFoundError("the data folder was moved away")
    path: Path = folder.path / "probe"
    flags = system.O_WRONLY | system.O_CREAT | system.O_TRUNC | system.O_CLOEXEC
    fd = system.open(path, flags | system.O_NOFOLLOW, 0o600)
    try:
        if system.write(fd, _PROBED) < len(_PROBED):
            raise OSError("the disk took only a part of it")
        system.fsync(fd)
    finally:
        system.close(fd)
        system.unlink(path)
