from __future__ import annotations

from pathlib import Path

import pytest
import trio

from edgechat.chat.origin import Origin, parse_origin
from edgechat.server import serve
from edgechat.settings import Settings

RIGHT = {
    "https://chat.example": Origin("https", "chat.example", 443),
    "https://chat.example/": Origin("https", "chat.example", 443),
    "HTTPS://Chat.Example:443": Origin("https", "chat.example", 443),
    "http://chat.example:8080": Origin("http", "chat.example", 8080),
    "http://[::1]:80": Origin("http", "::1", 80),
}
WRONG = [
    "",
    "null",
    "*",
    "https://*",
    "https://*.example",
    "chat.example",
    "chat.example:443",
    "//chat.example",
    "ftp://chat.example",
    "https://",
    "https://chat.example/chat",
    "https://chat.example?x",
    "https://me@chat.example",
    "https://chat.example:port",
    "https://[",
]


@pytest.mark.parametrize("text", RIGHT)
def test_each_way_to_write_one(text: str) -> None:
    assert parse_origin(text) == RIGHT[text]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        parse_origin(text)


async def test_an_allowed_origin_that_would_never_match_is_refused_at_the_start(
    tmp_path: Path,
) -> None:
    settings = Settings(data=tmp_path, port=0, allowed_origins=("chat.example",))
    with pytest.RaisesGroup(
        pytest.RaisesExc(ValueError, match="not an origin"), flatten_subgroups=True
    ):
        await serve(settings, trio.Event())
