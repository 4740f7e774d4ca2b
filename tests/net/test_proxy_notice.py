from __future__ import annotations

from pathlib import Path

import pytest

from edgechat.net import request_head
from edgechat.net.caller import Caller
from edgechat.net.proxy_notice import ProxyNotice
from edgechat.net.request_head import Head
from tests.serving.running import serving


def head(header: bytes, target: bytes = b"/") -> Head:
    text = b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s: 192.0.2.1\r\n\r\n" % (target, header)
    found = request_head.find(text, 1_000)
    assert found is not None
    return found


def caller(peer: str, *, is_passed_on: bool = False) -> Caller:
    return Caller(None, peer, False, is_passed_on)  # type: ignore[arg-type]


def notes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        each.getMessage() for each in caplog.records if each.name == "edgechat.net.proxy_notice"
    ]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"X-Forwarded-For", "X-Forwarded-For"),
        (b"x-forwarded-for", "X-Forwarded-For"),
        (b"FORWARDED", "Forwarded"),
    ],
)
def test_it_says_so_once(caplog: pytest.LogCaptureFixture, header: bytes, name: str) -> None:
    notice = ProxyNotice()
    notice.look(caller("10.1.1.1", is_passed_on=True), head(header))
    for peer in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        notice.look(caller(peer), head(header))
    (note,) = notes(caplog)
    assert note.startswith(f"192.0.2.7 sends {name}, and is not a trusted proxy")
    assert note.endswith("--trusted-proxy 192.0.2.7")


def test_other_headers_are_no_reason(caplog: pytest.LogCaptureFixture) -> None:
    notice = ProxyNotice()
    for header in (b"X-Forwarded-Proto", b"X-Real-IP", b"Not-Forwarded"):
        notice.look(caller("192.0.2.7"), head(header))
    notice.look(caller("192.0.2.7"), head(b"X", b"/Forwarded:x"))
    assert notes(caplog) == []


async def test_the_door_looks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path / "one") as server:
        await server.get("/livez", "X-Forwarded-For: 192.0.2.1")
        await server.get("/livez", "X-Forwarded-For: 192.0.2.1")
    assert len(notes(caplog)) == 1
    async with serving(tmp_path / "two", trusted_proxies=("127.0.0.1",)) as server:
        await server.get("/livez", "X-Forwarded-For: 192.0.2.1")
    assert len(notes(caplog)) == 1
