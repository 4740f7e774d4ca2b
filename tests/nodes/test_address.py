"""Where an engine is, by a URL."""

from __future__ import annotations

import pytest

from edgechat.cli.engine_url import EngineUrl
from edgechat.nodes.engine_address import EngineAddress, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://engine", EngineAddress("engine", 6379, "", False, "", "", 0)),
        ("redis://engine:7000/3", EngineAddress("engine", 7000, "", False, "", "", 3)),
        ("rediss://[::1]:7000", EngineAddress("::1", 7000, "", True, "", "", 0)),
        ("redis://:p%40ss@engine", EngineAddress("engine", 6379, "", False, "", "p@ss", 0)),
        ("redis://me:secret@engine", EngineAddress("engine", 6379, "", False, "me", "secret", 0)),
        ("unix:///run/engine.sock", EngineAddress("", 0, "/run/engine.sock", False, "", "", 0)),
    ],
)
def test_addresses(url: str, address: EngineAddress) -> None:
    assert parse_address(url) == address
    assert "secret" not in str(address)


@pytest.mark.parametrize(
    "url", ["engine", "http://engine", "redis://", "redis://engine:x", "unix://", "redis://e/one"]
)
def test_what_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="write redis://"):
        parse_address(url)


def test_a_password_is_not_shown() -> None:
    assert EngineUrl.shown("rediss://me:secret@engine:1/0") == "rediss://me:***@engine:1/0"
    assert EngineUrl.shown("redis://engine:1/0") == "redis://engine:1/0"
