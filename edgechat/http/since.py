"""From where a follower wants to go on: `Last-Event-ID`, or `?since=` in its forms."""

from __future__ import annotations

import re

from quart import request

from edgechat import system
from edgechat.chat.line import Token
from edgechat.http import query
from edgechat.http.query import bad_request, is_number
from edgechat.rooms.follow import Extreme, Since, Stamp

_TOKEN = re.compile(r"([0-9]{1,15}):([0-9a-f]{16})")
_AGE = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NOT_OURS = Token(10**15, "")  # beyond any head: `forked`


def read_since(otherwise: Extreme) -> Since:
    """What this request says; `otherwise` where it says nothing. Raises `Wrong`.

    A browser that reconnects repeats the address, and adds the header: so that counts.
    """
    value = query.text("since")
    since = otherwise if value is None else _read(value)
    if since is None:
        raise bad_request('since must be like "41:9f86d081884c7d65", 41, 10m or all.')
    last: str = request.headers.get("Last-Event-ID", "")
    return (_token(last) or _NOT_OURS) if last else since


def _read(value: str) -> Since | None:
    if value == "all":
        return Extreme.START
    if is_number(value):
        return int(value)
    if age := _AGE.fullmatch(value):
        return Stamp(system.now_ms() - int(age[1]) * _SECONDS[age[2]] * 1_000)
    return _token(value)


def _token(value: str) -> Token | None:
    found = _TOKEN.fullmatch(value)
    return Token(int(found[1]), found[2]) if found else None
