from __future__ import annotations

import pytest

from edgechat.chat.origin import may_talk, parse_origins

ALLOWED = parse_origins(("https://friend.example",))


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        (None, "chat.example", True),
        ("https://friend.example", "chat.example", True),
        ("https://chat.example", "chat.example", True),
        ("http://chat.example:8080", "chat.example:8080", True),
        ("https://chat.example", "chat.example:443", True),
        ("https://chat.example", "chat.example:8443", False),
        ("https://enemy.example", "chat.example", False),
        ("null", "chat.example", False),
        ("", "", False),
        ("https://chat.example:x", "chat.example", False),
        ("ftp://chat.example", "chat.example", False),
    ],
)
def test_whose_pages_may_talk(origin: str | None, host: str, may: bool) -> None:
    assert may_talk(origin, host, ALLOWED) is may
