from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgechat.net.client_address import client_address, is_loopback, is_trusted, normalise
from edgechat.settings import ProxyHeader

PROXIES = ("10.0.0.0/8", "::1", "2001:db8:ffff::/48")

NORMALISED = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2::": "2001:db8:1:2::/64",
    "2001:DB8:1:2::F": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80::/64",
    "::1": "::/64",
}


@pytest.mark.parametrize("text", NORMALISED)
def test_one_spelling_for_each_address(text: str) -> None:
    assert normalise(text) == NORMALISED[text]


@pytest.mark.parametrize("text", ["", "unknown", "1.2.3", "1.2.3.4:80", "[::1]", "_hidden"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        normalise(text)
    assert not is_trusted(text, ("0.0.0.0/0", "::/0"))


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::2", False),
    ],
)
def test_loopback(text: str, loopback: bool) -> None:
    assert is_loopback(text) is loopback


@pytest.mark.parametrize(
    ("text", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.1.2.3", False),
        ("::1", True),
        ("2001:db8:ffff:9::1", True),
        ("2001:db8:fffe::1", False),
    ],
)
def test_trusted(text: str, trusted: bool) -> None:
    assert is_trusted(text, PROXIES) is trusted


X: ProxyHeader = "X-Forwarded-For"
RFC: ProxyHeader = "Forwarded"

# peer, the header that is believed, its values, whom the connection counts for
CLIENTS: list[tuple[str, ProxyHeader, list[str], str]] = [
    # Nobody believes a peer that is no proxy.
    ("192.0.2.9", X, ["1.1.1.1"], "192.0.2.9"),
    ("192.0.2.9", RFC, ["for=2.2.2.2"], "192.0.2.9"),
    ("10.0.0.1", X, [], "10.0.0.1"),
    ("10.0.0.1", X, ["1.1.1.1"], "1.1.1.1"),
    # The rightmost hop that is no proxy: what is left of it, its sender made up.
    ("10.0.0.1", X, ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
    ("10.0.0.1", X, ["6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
    ("10.0.0.1", X, ["6.6.6.6", "1.1.1.1", "10.0.0.2"], "1.1.1.1"),
    ("10.0.0.1", X, ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
    ("10.0.0.1", X, ["2001:db8:1:2::3"], "2001:db8:1:2::/64"),
    ("10.0.0.1", X, ["1.1.1.1:4711"], "1.1.1.1"),
    ("10.0.0.1", X, ["[2001:db8:1:2::3]:4711"], "2001:db8:1:2::/64"),
    ("10.0.0.1", X, ["::ffff:1.1.1.1"], "1.1.1.1"),
    # Nonsense counts for the proxy that sent it.
    ("10.0.0.1", X, ["unknown"], "10.0.0.1"),
    ("10.0.0.1", X, ["1.1.1.1, unknown"], "10.0.0.1"),
    ("10.0.0.1", X, [" , "], "10.0.0.1"),
    # RFC 7239, section 4.
    ("10.0.0.1", RFC, ["for=1.1.1.1"], "1.1.1.1"),
    ("10.0.0.1", RFC, ["For=1.1.1.1;proto=https;by=9.9.9.9"], "1.1.1.1"),
    ("10.0.0.1", RFC, ['proto=https; for="[2001:db8:1:2::3]:4711"'], "2001:db8:1:2::/64"),
    ("10.0.0.1", RFC, ["for=6.6.6.6, for=1.1.1.1"], "1.1.1.1"),
    ("10.0.0.1", RFC, ["for=6.6.6.6", "for=1.1.1.1, for=10.0.0.2"], "1.1.1.1"),
    ("10.0.0.1", RFC, ["for=_hidden"], "10.0.0.1"),
    ("10.0.0.1", RFC, ['for="_hidden, for=6.6.6.6"'], "10.0.0.1"),
    ("10.0.0.1", RFC, ['for="1.1.\\1.1"'], "1.1.1.1"),
    ("10.0.0.1", RFC, [" ;for=1.1.1.1; ,, "], "1.1.1.1"),
    ("10.0.0.1", RFC, ["for=[2001:db8:1:2::3]:4711"], "2001:db8:1:2::/64"),
    # What a client wrote into another parameter, and a proxy passed on within quotation marks.
    ("10.0.0.1", RFC, ['for=1.1.1.1;by="x;for=6.6.6.6"'], "1.1.1.1"),
    ("10.0.0.1", RFC, ['for=1.1.1.1;by="x, for=6.6.6.6"'], "1.1.1.1"),
    ("10.0.0.1", RFC, ['for=1.1.1.1;by="x\\", for=6.6.6.6"'], "1.1.1.1"),
    ("10.0.0.1", RFC, ["for=1.1.1.1;host=x;for=6.6.6.6"], "10.0.0.1"),
    # What a client wrote before it, so that nothing would be well-formed.
    ("10.0.0.1", RFC, ['for=6.6.6.6;x="', "for=1.1.1.1"], "1.1.1.1"),
    ("10.0.0.1", RFC, ['", for=6.6.6.6, ", for=1.1.1.1'], "1.1.1.1"),
    ("10.0.0.1", RFC, ['for=6.6.6.6;x="', 'for="[2001:db8:1:2::3]"'], "2001:db8:1:2::/64"),
    ("10.0.0.1", RFC, ["=" * 5_000 + "," * 5_000 + "for=1.1.1.1"], "1.1.1.1"),
    ("10.0.0.1", RFC, ["for=1.1.1.1 for=6.6.6.6"], "10.0.0.1"),
    ("10.0.0.1", RFC, ["proto=https"], "10.0.0.1"),
]


@pytest.mark.parametrize(("peer", "header", "values", "client"), CLIENTS)
def test_whom_a_connection_counts_for(
    peer: str, header: ProxyHeader, values: list[str], client: str
) -> None:
    assert client_address(peer, header, values, PROXIES) == client


# The whole grammar of RFC 7239, section 4.
TOKEN = "!#$%&'*+-.^_`|~0123456789ABCZabcz"
tokens = st.text(TOKEN, min_size=1, max_size=8)
texts = st.text(st.characters(min_codepoint=9, max_codepoint=255), max_size=12)
names = st.one_of(tokens, st.sampled_from(["by", "host", "proto", "for-x"])).filter(
    lambda name: name.lower() != "for"
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


values = st.one_of(tokens, texts.map(quoted), st.just('"x, for=6.6.6.6;y="'))
others = st.tuples(names, values).map("=".join)


@st.composite
def elements(draw: st.DrawFn) -> tuple[str, str]:
    """An element, and whom it speaks for."""
    address = draw(st.sampled_from(["1.1.1.1", "10.0.0.7", "2.2.2.2"]))
    spelling = draw(st.sampled_from(["for={}", "FOR={}", 'For="{}"', 'for="{}:80"']))
    parts = draw(st.lists(others, max_size=3))
    parts.insert(draw(st.integers(0, len(parts))), spelling.format(address))
    return draw(st.sampled_from([";", "; ", ";;"])).join(parts), address


@given(
    st.lists(elements(), min_size=1, max_size=4),
    st.lists(st.sampled_from([",", ", ", " ,,\t"]), min_size=4, max_size=4),
)
def test_whatever_the_grammar_allows(chain: list[tuple[str, str]], commas: list[str]) -> None:
    header = "".join(a + b for (a, _), b in zip(chain, commas, strict=False))
    client = next((hop for _, hop in reversed(chain) if hop != "10.0.0.7"), chain[0][1])
    assert client_address("10.0.0.1", RFC, [header], PROXIES) == client


@pytest.mark.parametrize(
    "made_up",
    [
        "a" * 15_000 + "?",
        "for=" + "a" * 15_000 + "?",
        " " * 15_000 + "?",
        'x="' + "\\" * 15_000,
        ",?" * 7_000,
        " ,\t" * 5_000,
        ("x=y," + " " * 200) * 70 + "?",
    ],
)
def test_no_header_is_looked_at_again_and_again(made_up: str) -> None:
    """A pattern that tries each way to part 15,000 letters would not come to an end."""
    assert client_address("10.0.0.1", RFC, [made_up, "for=3.3.3.3"], PROXIES) == "3.3.3.3"
    assert client_address("10.0.0.1", X, [made_up, "3.3.3.3"], PROXIES) == "3.3.3.3"


@given(st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60), elements())
def test_whatever_a_client_wrote_before_it(made_up: str, element: tuple[str, str]) -> None:
    """What its proxy added is believed, or nothing is: never what it made up itself."""
    header = made_up.replace("10.", "") + ", " + element[0]
    found = client_address("10.0.0.1", RFC, [header, "for=3.3.3.3"], PROXIES)
    assert found == "3.3.3.3"


def test_without_trusted_proxies_the_headers_mean_nothing() -> None:
    assert client_address("10.0.0.1", X, ["1.1.1.1"], ()) == "10.0.0.1"
    assert client_address("10.0.0.1", RFC, ["for=1.1.1.1"], ()) == "10.0.0.1"
