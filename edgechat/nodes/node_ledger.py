"""What addresses spend on all nodes together: the engine adds it up.

It counts by the rule of `chat.allowance`, on its own clock, and answers by how many seconds the
address is from having its whole allowance: so no two clocks have to agree. While the engine is
away, each node goes by what is spent there; that is not told later, when it would be paid twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn

import hiredis
import trio

from edgechat.nodes import keys, scripts
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import LinkDown
from edgechat.rooms.allowances import Allowances
from edgechat.rooms.spending import Spending

log = logging.getLogger(__name__)


class NodeLedger:
    """What one node tells of it, and learns."""

    def __init__(self, connection: Callable[[], EngineConnection]) -> None:
        """`connection` is the one that is up; it raises `LinkDown` where there is none."""
        self.spending = Spending()
        self._connection = connection
        self._trouble = ""

    async def run(self, allowances: Allowances) -> NoReturn:
        """Settle what is spent by these allowances, for ever."""
        await self.spending.settle(partial(self._tell, allowances))

    async def _tell(self, allowances: Allowances, spent: Mapping[str, int]) -> None:
        """Count it in the engine, and learn what was spent in all."""
        places = [keys.limit_of(address) for address in spent]
        interval = round(allowances.interval * 1e6)
        try:
            connection = self._connection()
            owed = await scripts.run(
                connection.request, scripts.SPEND, places, interval, *spent.values()
            )
        except LinkDown:
            return
        except hiredis.ReplyError as failure:
            self._note(str(failure))
            return
        self._note("")
        now = trio.current_time()
        for address, microseconds in zip(spent, owed, strict=True):
            allowances.learn(address, now + microseconds / 1e6)

    def _note(self, trouble: str) -> None:
        """Say it once, and not ten times a second."""
        if trouble not in ("", self._trouble):
            log.error("Each node counts allowances for itself: the engine says: %s", trouble)
        self._trouble = trouble
