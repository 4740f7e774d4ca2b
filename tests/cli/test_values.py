"""What options take, in which form, and what they say of the rest."""

from __future__ import annotations

import click
import pytest

from edgechat.cli.values import Address, HostName, Network, Number, Origin, Workers


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTPS://Example.ORG/", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://example.org:80/", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        (" https://a_b.example ", "https://a_b.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://192.0.2.7:8080", "http://192.0.2.7:8080"),
        ("http://[2001:DB8:0::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_an_origin_is_as_browsers_write_it(text: str, origin: str) -> None:
    assert Origin().convert(text, None, None) == origin


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("foo", "write https://foo."),
        ("Example.org", "write https://example.org."),
        ("*", "name each one"),
        ("https://*.example.org", "name each one"),
        ("null", "like https://example.org."),
        ("", "like https://example.org."),
        ("https://", "like https://example.org."),
        ("ftp://example.org", "like https://example.org."),
        ("https://example.org:http", "like https://example.org."),
        ("https://example.org:99999", "like https://example.org."),
        ("https://exa mple.org", "like https://example.org."),
        ("https://192.0.2.300", "like https://example.org."),
        ("https://example.org/chat", "write https://example.org."),
        ("https://example.org?x=1", "write https://example.org."),
        ("https://me@example.org", "write https://example.org."),
        ("https://bücher.example", "ASCII form, which begins with xn--."),
    ],
)
def test_what_is_not_an_origin(text: str, instead: str) -> None:
    with pytest.raises(click.BadParameter, match="not an origin") as wrong:
        Origin().convert(text, None, None)
    assert instead in wrong.value.message


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("Chat.Example.org", "chat.example.org"),
        ("localhost", "localhost"),
        ("web-1", "web-1"),
    ],
)
def test_a_host(text: str, host: str) -> None:
    assert HostName().convert(text, None, None) == host


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("", "0.0.0.0"),
        ("*", "0.0.0.0"),
        ("localhost:8080", "write localhost."),
        ("https://chat.example.org/", "write chat.example.org."),
        ("127.0.0.1:80", "write 127.0.0.1."),
        ("[::1]:80", "write ::1."),
        ("256.0.0.1", "like chat.example.org"),
        ("a b", "like chat.example.org"),
        ("-x", "like chat.example.org"),
        ("a..b", "like chat.example.org"),
        ("[", "like chat.example.org"),
        ("bücher.example", "begins with xn--"),
    ],
)
def test_what_is_not_a_host(text: str, instead: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a host") as wrong:
        HostName().convert(text, None, None)
    assert instead in wrong.value.message


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1/32", "10.0.0.1"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("[FD00::1]", "fd00::1"),
        ("fd00::/8", "fd00::/8"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_a_network(text: str, network: str) -> None:
    assert Network().convert(text, None, None) == network


@pytest.mark.parametrize("text", ["", "example.org", "10.0.0", "10.0.0.0/33", "10.0.0.1:80", "*"])
def test_what_is_not_a_network(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"like 192\.0\.2\.7 or 10\.0\.0\.0/8"):
        Network().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9100", "127.0.0.1:9100"),
        ("[::1]:9100", "[::1]:9100"),
        (" LocalHost:0 ", "localhost:0"),
        ("", ""),
    ],
)
def test_an_address_to_listen_on(text: str, address: str) -> None:
    assert Address().convert(text, None, None) == address


@pytest.mark.parametrize(
    "text", ["9100", ":9100", "127.0.0.1", "::1:9100", "[::1]", "host:x", "host:65536", "a b:1"]
)
def test_what_is_not_an_address_to_listen_on(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"like 127\.0\.0\.1:9100 or \[::1\]:9100"):
        Address().convert(text, None, None)


def test_numbers_say_their_range_and_their_unit() -> None:
    seconds = Number("seconds", float, 1, 1_000)
    assert seconds.convert("1.5", None, None) == 1.5
    for text in ("0.5", "1001", "nan", "inf", "soon", ""):
        with pytest.raises(click.BadParameter, match=r"a number from 1 to 1,000 \(seconds\)"):
            seconds.convert(text, None, None)
    lines = Number("lines", int, 0, 10)
    assert lines.convert("10", None, None) == 10
    with pytest.raises(click.BadParameter, match=r"a whole number from 0 to 10 \(lines\)"):
        lines.convert("1.5", None, None)


def test_workers_are_a_number_or_as_many_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, many in ((1, 1), (6, 6), (200, 64)):
        monkeypatch.setattr("edgechat.system.processors", lambda cores=cores: cores)
        assert Workers().convert("auto", None, None) == many
        assert Workers().convert(" AUTO ", None, None) == many
    assert [Workers().convert(text, None, None) for text in ("1", 3, "64")] == [1, 3, 64]
    for wrong in ("0", "65", "-1", "two", "1.5", ""):
        with pytest.raises(click.BadParameter, match="is not a whole number from 1 to 64"):
            Workers().convert(wrong, None, None)
