"""The rules of webhooks that need no clock and no network."""

from __future__ import annotations

import json
from itertools import accumulate

import pytest

from edgechat.chat.line import NOWHERE, Token
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.rooms.follow import Start
from edgechat.webhooks.answer import Answer, Fate, Patience, is_held, of_status, wait_after
from edgechat.webhooks.event import line_event, reset_event
from edgechat.webhooks.hook import Hook, Target, parse_hook, parse_target, split_hook
from edgechat.webhooks.signing import BadSecret, parse_secret, sign, write_secret
from tests.chat.rooms import h_of, lines

IDS = PrivateIds(bytes(32))
PRIVATE = IDS.make(bytes(16))
PATIENCE = Patience(300.0, 10, 3_600.0)
URL = "https://example.org/hook"


def hook(room: str = "lobby") -> Hook:
    return parse_hook(f"{room}={URL}", IDS)


def test_a_signature_is_that_of_the_standard() -> None:
    """The example of the reference libraries of Standard Webhooks."""
    key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_as_people_copy_it(size: int) -> None:
    key = bytes(range(size))
    assert parse_secret(write_secret(key)) == parse_secret(f" {write_secret(key)[6:]}\n") == key


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_x", write_secret(bytes(23)), "ä" * 40])
def test_what_is_not_a_secret(text: str) -> None:
    with pytest.raises(BadSecret) as error:
        parse_secret(text)
    assert not text.strip("whsec_") or text not in str(error.value)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", Target("http", "a.example", 80, "a.example", "/")),
        ("https://A.example/x?y=1", Target("https", "a.example", 443, "A.example", "/x?y=1")),
        ("http://[::1]:8080/", Target("http", "::1", 8080, "[::1]:8080", "/")),
        ("http://localhost:81?q", Target("http", "localhost", 81, "localhost:81", "/?q")),
    ],
)
def test_an_address(url: str, target: Target) -> None:
    assert parse_target(url) == target
    assert "?" not in str(target)


@pytest.mark.parametrize(
    "text",
    [
        "ops",
        "ops=",
        "ops=example.org/hook",
        "ops=ftp://example.org/",
        "ops=https:///hook",
        "ops=https://user:word@example.org/",
        "ops=https://example.org/#x",
        "ops=https://example.org/a b",
        "ops=https://example.org/ä",
        "ops=https://exämple.org/",
        "ops=https://example.org:x/",
        "ops=https://example.org:99999/",
        "=https://example.org/",
        "a/b=https://example.org/",
        f"{'x' * 33}=https://example.org/",
    ],
)
def test_what_is_not_a_webhook(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        split_hook(text)


def test_an_id_of_another_server_is_not_a_room() -> None:
    split_hook(f"{'0' * 64}={URL}")  # nobody knows before there is a key
    with pytest.raises(ValueError, match="Name too long"):
        parse_hook(f"{'0' * 64}={URL}", IDS)


def test_the_room_is_named_as_it_is() -> None:
    assert hook("Café x").key == RoomKey("café-x", private=False)
    assert (hook("Café x").room, hook("Café x").id) == ("café-x", "caf%C3%A9-x")


def test_a_private_rooms_id_is_told_to_nobody() -> None:
    one, other = hook(PRIVATE), hook(IDS.make(bytes(15) + b"1"))
    assert one.room.startswith("private-")
    assert one.room != other.room
    body = line_event(one, lines(1)[0], 0).body.decode()
    for text in (one.room, one.id, one.file_name, str(one.target), body):
        assert PRIVATE not in text
        assert PRIVATE[:8] not in text


def test_each_webhook_has_a_file_of_its_own() -> None:
    same = parse_hook(f"LOBBY={URL}", IDS)
    others = {hook("ops").file_name, parse_hook(f"lobby={URL}2", IDS).file_name}
    assert same.file_name == hook().file_name
    assert len({hook().file_name, *others}) == 3


def test_the_event_of_a_line() -> None:
    line = lines(3)[2]
    event = line_event(hook(), line, 0)
    h = h_of(line).hex()
    assert (event.id, event.seq, event.h) == (f"lobby:3:{h}", 3, h)
    assert event.body.endswith(b'"data":' + line + b"}")
    body = json.loads(event.body)
    assert set(body) == {"type", "timestamp", "room", "data"}
    assert (body["type"], body["room"]) == ("message", "lobby")
    stamp = json.loads(line)["timestamp"]
    assert body["timestamp"].endswith(f".{stamp % 1000:03}Z")


@pytest.mark.parametrize(
    ("line", "id", "type"),
    [
        (b'{"seq":42,"kind":"lost"}', "lobby:42:lost", "lost"),
        (b'{"seq":7,"timestamp":1,"kind":"poll","h":"%b"}' % (b"0" * 16), None, "poll"),
        (b'{"seq":7,"timestamp":-9,"h":"%b"}' % (b"0" * 16), None, "message"),
        (b'{"seq":7,"timestamp":99999999999999999,"h":"%b"}' % (b"0" * 16), None, "message"),
    ],
)
def test_the_event_of_another_line(line: bytes, id: str | None, type: str) -> None:
    event = line_event(hook(), line, 0)
    assert event.id == (id or f"lobby:7:{'0' * 16}")
    assert (event.h is None) == (id is not None)
    assert json.loads(event.body)["type"] == type


def test_the_event_of_a_reset() -> None:
    head = Token(9, "1" * 16)
    event = reset_event(hook(), Start(4, None, head, "forked"), 0)
    assert (event.seq, event.h) == (4, None)
    data = {"reason": "forked", "seq": 9, "h": "1" * 16}
    assert json.loads(event.body) == {
        "type": "reset",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "room": "lobby",
        "data": data,
    }
    assert event.id == f"lobby:reset:9:{'1' * 16}"
    assert reset_event(hook(), Start(0, NOWHERE, NOWHERE, "forked"), 0).h == NOWHERE.h


@pytest.mark.parametrize(
    ("statuses", "fate"),
    [
        ((200, 201, 202, 204, 299), Fate.DELIVERED),
        ((410,), Fate.GONE),
        ((301, 302, 307, 308, 400, 401, 404, 409, 413, 429), Fate.REFUSED),
        ((0, 500, 502, 503, 599, 999), Fate.FAILED),
    ],
)
def test_what_a_status_means(statuses: tuple[int, ...], fate: Fate) -> None:
    assert {of_status(status).fate for status in statuses} == {fate}


def test_the_waits() -> None:
    failed, refused = Answer(Fate.FAILED, ""), Answer(Fate.REFUSED, "")
    waits = [wait_after(failed, tries, PATIENCE) for tries in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert wait_after(failed, 10**6, PATIENCE) == 300
    waits = [wait_after(refused, tries, PATIENCE) for tries in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 3_600, 3_600]
    assert list(accumulate(waits))[8] < 600  # nine tries after the first, within ten minutes
    assert [is_held(refused, tries, PATIENCE) for tries in (9, 10, 11)] == [False, True, True]
    assert not is_held(failed, 10**6, PATIENCE)
