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
from tests.chat.examples import examples, titles

IDS = PrivateIds(b"k" * 32)
RANDOM = bytes(range(16))

# Read by the page's tests, too: what it opens and what the server calls it are the same.
ROOMS = examples("room_names")
NAMES = examples("user_names")
LONG = {
    "e\u0301" * 32: "é" * 32,  # 64 code points as typed, 32 as they count
    "\u03c9\u0313\u0301\u0345" * 8: "\u1f64\u03b9" * 8,
    "\u00a0": "-",  # a no-break space is a blank (NFKC)
}
NO_ROOMS = {
    "": "needs a name",
    "\u200d": "needs a name",
    "x" * 33: "too long",
    "ß" * 17: "too long",  # 34 once folded
    "x" * 10_000: "too long",
    "f" * 64: "too long",
    "../etc/passwd": "may have",
    "a\\b": "may have",
    "a\nb": "may have",
    "a%2fb": "may have",
    "\u2026": "may have",  # NFKC makes it three dots
    "a\u2215b": "may have",
    "\ud800": "may have",
    "\u3164": "can be seen",
}


@pytest.mark.parametrize(("what", "typed", "room"), ROOMS, ids=titles(ROOMS))
def test_public_rooms(what: str, typed: str, room: str | None) -> None:
    if room is not None:
        assert room_key(typed, IDS) == RoomKey(room, private=False)
        return
    with pytest.raises(BadRoomName):
        room_key(typed, IDS)


@pytest.mark.parametrize("text", LONG, ids=ascii)
def test_lengths_count_once_normalised(text: str) -> None:
    assert room_key(text, IDS) == RoomKey(LONG[text], private=False)


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


@pytest.mark.parametrize(("what", "typed", "name"), NAMES, ids=titles(NAMES))
def test_user_names(what: str, typed: str, name: str | None) -> None:
    if name is not None:
        assert user_name(typed, 32) == name
        assert user_name(name, 32) == name
        return
    with pytest.raises(Refusal) as caught:
        user_name(typed, 32)
    assert (caught.value.code, caught.value.close) == ("bad_name", Close.POLICY)


@pytest.mark.parametrize("name", [None, ""])
def test_nobody_is_anonymous(name: str | None) -> None:
    assert user_name(name, 32) == "anonymous"


TURNING = [f"a{chr(code)}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@pytest.mark.parametrize("name", TURNING, ids=ascii)
def test_what_turns_the_direction_of_text_is_in_no_name(name: str) -> None:
    with pytest.raises(Refusal, match="turn the direction"):
        user_name(name, 32)


# Unicode's Prepended_Concatenation_Mark, and musical and shorthand signs that have a glyph.
SEEN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
SEEN |= {*range(0x13430, 0x13440)}  # joiners of hieroglyphs


def test_no_format_character_is_a_name_by_itself() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) == "Cf" and code not in SEEN:
            with pytest.raises(Refusal):
                user_name(chr(code), 32)


@pytest.mark.parametrize("name", ["x" * 33, "x" * 10_000, "\u0344" * 17])
def test_a_name_too_long_closes_1009(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        user_name(name, 32)
    assert (caught.value.code, caught.value.close) == ("name_too_long", Close.TOO_BIG)
