"""Accepts connections, for ever, whatever goes wrong with one of them or with all."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from math import inf
from typing import NoReturn

import trio

from edgechat import system
from edgechat.net.reserve import Reserve
from edgechat.net.unix_socket import PEER

log = logging.getLogger(__name__)

_AT_ONCE = 16  # then the others have their turn: the head of each may be there, and takes 0.5 ms
_BREATH = 0.1  # seconds to wait when none can be accepted
_CALM = 10.0  # seconds without a failure: then the log may say so, and be told of the next one
# What went wrong with the connection and not with accepting it: accept(2), "Error handling".
_OF_THE_CONNECTION = {
    errno.ECONNABORTED,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENONET,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EPROTO,
}
_NO_DESCRIPTORS = {errno.EMFILE, errno.ENFILE}


class Acceptor:
    """Accepts from one listening socket."""

    def __init__(
        self,
        listening: socket.socket,
        welcome: Callable[[socket.socket, str], None],
        reserve: Reserve,
    ) -> None:
        """`welcome` gets each connection and its peer's address, and must not wait or raise."""
        self._listening = listening
        self._welcome = welcome
        self._reserve = reserve
        self._failing = False  # and the log knows
        self._failed_at = -inf

    async def run(self) -> NoReturn:
        """Accept for ever. What goes wrong is logged once, until it went well for a while."""
        while True:
            await system.wait_readable(self._listening)
            try:
                for _ in range(_AT_ONCE):
                    connection, peer = self._listening.accept()
                    self._welcome(connection, peer[0] if type(peer) is tuple else PEER)
            except BlockingIOError:  # all who waited were let in
                self._reserve.fill()
                if self._failing:
                    self._note_success()
            except OSError as error:
                if error.errno in _OF_THE_CONNECTION:
                    continue
                if error.errno in _NO_DESCRIPTORS and self._reserve.release():
                    continue
                self._note_failure(error)
                await trio.sleep(_BREATH)

    def _note_failure(self, error: OSError) -> None:
        self._failed_at = trio.current_time()
        if not self._failing:
            self._failing = True
            log.error("No connection can be accepted now: %s", error.strerror or error)

    def _note_success(self) -> None:
        if trio.current_time() - self._failed_at >= _CALM:
            self._failing = False
            log.warning("Connections are accepted again.")
