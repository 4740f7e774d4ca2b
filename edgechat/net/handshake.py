"""The opening handshake of a room's WebSocket (RFC 6455, section 4.2)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import NamedTuple

from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request
from websockets.server import ServerProtocol

from edgechat.chat.names import BadRoomName, PrivateIds, RoomKey, room_key
from edgechat.chat.origin import Origin, may_talk
from edgechat.net.refused import BAD_HOST, NOT_HTTP, Reason, Refused, refuse
from edgechat.net.request_head import Head, room_text

_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)  # a bad handshake is the client's business, and is answered

_BAD = "bad handshake"
_ORIGIN = refuse(
    "origin", HTTPStatus.FORBIDDEN, "A page of this site may not talk here.", "origin_refused"
)
_ALLOW = {"Allow": "GET"}
# What would be accepted: RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
_OFFER = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


class Handshake(NamedTuple):
    """A handshake that is all right: the room it leads to, and the answer."""

    key: RoomKey
    answer: bytes


def shake_hands(request: Head, ids: PrivateIds, origins: Collection[Origin]) -> Handshake:
    """Check an upgrade request. Raises `Refused`."""
    protocol = ServerProtocol(logger=_quiet)
    protocol.receive_data(request.for_websocket())
    events = protocol.events_received()
    if not events or not isinstance(events[0], Request):
        raise Refused(_bad(protocol.data_to_send()))
    asked = events[0]
    if not request.values("Host"):
        raise Refused(BAD_HOST)  # RFC 9112, section 3.2
    key = _room(asked.path, ids)
    if not _origin_is_fine(asked.headers, origins):
        raise Refused(_ORIGIN)
    protocol.send_response(protocol.accept(asked))
    answer = b"".join(protocol.data_to_send())
    if protocol.handshake_exc is not None:
        raise Refused(_bad([answer]))
    return Handshake(key, answer)


def _bad(sent: Sequence[bytes]) -> Reason:
    """What the library answers, in the form of our own refusals."""
    head, _, text = b"".join(sent).partition(b"\r\n\r\n")
    if not head:
        return NOT_HTTP
    status = HTTPStatus(int(head[9:12]))
    headers = _ALLOW if status == HTTPStatus.METHOD_NOT_ALLOWED else _OFFER
    return refuse(_BAD, status, text.decode("latin-1").strip(), headers=headers)


def _room(target: str, ids: PrivateIds) -> RoomKey:
    text = room_text(target)
    if text is None:
        raise Refused(refuse("no room", HTTPStatus.NOT_FOUND, "There is no WebSocket here."))
    try:
        return room_key(text, ids)
    except BadRoomName as error:
        raise Refused(refuse("no room", HTTPStatus.NOT_FOUND, str(error))) from None


def _origin_is_fine(headers: Headers, allowed: Collection[Origin]) -> bool:
    """Whether the page that asks is ours, or on the list. No origin at all: not a browser."""
    try:
        text, host = headers.get("Origin"), headers.get("Host", "")
    except MultipleValuesError:
        return False
    return may_talk(text, host, allowed)
