from __future__ import annotations

import sys
import unicodedata

import pytest

from edgechat.chat.errors import Close, Refusal
from edgechat.chat.names import (
    BadRoomName,
    PrivateIds,
    RoomKey,
    public_room_name,
    room_key,
    user_name,
)

IDS = PrivateIds(b"k" * 32)
RANDOM = bytes(range(16))

ROOMS = {
    "lobby": "lobby",
    "LOBBY": "lobby",
    "my_room": "my-room",
    "my room": "my-room",
    "Straße": "strasse",
    "\uff4c\uff4f\uff42\uff42\uff59": "lobby",
    "Ünï": "ünï",
    "u\u0308ni": "üni",
    "日本": "日本",
    "हिन्दी": "हिन्दी",
    "ﬁsh": "fish",
    "-": "-",
    "42": "42",
    "٣": "٣",
    "\u00a0": "-",  # a no-break space is a blank (NFKC)
    "x" * 32: "x" * 32,
    "e\u0301" * 32: "é" * 32,  # 64 code points as typed, 32 as they count
    "\u03c9\u0313\u0301\u0345" * 8: "\u1f64\u03b9" * 8,
}

NO_ROOMS = {
    "": "needs a name",
    "x" * 33: "too long",
    "ß" * 17: "too long",  # 34 once folded
    "x" * 10_000: "too long",
    "f" * 64: "too long",
    "a/b": "may have",
    "..": "may have",
    "../etc/passwd": "may have",
    "a\\b": "may have",
    "a.jsonl": "may have",
    "a\0b": "may have",
    "a\nb": "may have",
    "a\tb": "may have",
    "a%2fb": "may have",
    "½": "may have",
    "😀": "may have",
    "a\u200db": "may have",
    "a\u202eb": "may have",
    "a\u00adb": "may have",
    "\u2026": "may have",  # NFKC makes it three dots
    "a\u2215b": "may have",
    "\ud800": "may have",
}


@pytest.mark.parametrize("text", ROOMS)
def test_public_rooms(text: str) -> None:
    assert room_key(text, IDS) == RoomKey(ROOMS[text], private=False)


@pytest.mark.parametrize("text", NO_ROOMS, ids=lambda text: ascii(text[:20]))
def test_what_names_no_room(text: str) -> None:
    with pytest.raises(BadRoomName, match=NO_ROOMS[text]):
        room_key(text, IDS)


def test_a_normalised_name_names_the_same_room_for_every_character() -> None:
    """Otherwise the name that a room says of itself would lead elsewhere."""
    for code in range(sys.maxunicode + 1):
        try:
            name = public_room_name(chr(code))
        except BadRoomName:
            continue
        assert public_room_name(name) == name, hex(code)
        assert all(unicodedata.category(c)[0] in "LMN" or c == "-" for c in name), hex(code)
        assert "/" not in name


def test_private_rooms() -> None:
    id = IDS.make(RANDOM)
    assert len(id) == 64
    assert room_key(id, IDS) == RoomKey(id, private=True)
    assert room_key(id.upper(), IDS) == RoomKey(id, private=True)
    assert IDS.make(bytes(16)) != id


def test_an_id_of_another_key_or_with_any_bit_changed_names_no_room() -> None:
    id = IDS.make(RANDOM)
    changed = [f"{int(id, 16) ^ (1 << bit):064x}" for bit in range(256)]
    for other in [*changed, PrivateIds(b"other" * 8).make(RANDOM), "0" * 64]:
        with pytest.raises(BadRoomName, match=r"^Name too long$"):
            room_key(other, IDS)


def test_a_private_rooms_id_is_not_in_its_words() -> None:
    id = IDS.make(RANDOM)
    assert str(room_key(id, IDS)) == "a private room"
    assert str(room_key("lobby", IDS)) == "room 'lobby'"


@pytest.mark.parametrize("name", ["alice", "x" * 32, "日本", "😀" * 32, " a ", "a\u200fb", "<b>"])
def test_user_names(name: str) -> None:
    assert user_name(name, 32) == name


@pytest.mark.parametrize("name", [None, ""])
def test_nobody_is_anonymous(name: str | None) -> None:
    assert user_name(name, 32) == "anonymous"


BAD_NAMES = [" ", "\u3000\t", "a\0", "a\nb", "a\x7f", "a\x85b", "\u2028a", "a\u2029"]
BAD_NAMES += [f"a{chr(code)}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_bad_names_close_1008(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        user_name(name, 32)
    assert (caught.value.code, caught.value.close) == ("bad_name", Close.POLICY)


def test_a_name_too_long_closes_1009() -> None:
    with pytest.raises(Refusal) as caught:
        user_name("x" * 33, 32)
    assert (caught.value.code, caught.value.close) == ("name_too_long", Close.TOO_BIG)
