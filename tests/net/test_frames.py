"""The fast reader against the library's own protocol: they accept, refuse and produce the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from edgechat.net.frames import FrameReader
from tests.serving.wire import BINARY, CLOSE, PING, PONG, TEXT, frame

MAX = 300  # bytes in a message: small, so that examples pass it in both directions
CONT = 0


class Read(NamedTuple):
    """All that can be seen of a reader from outside."""

    messages: list[str | None]
    replies: bytes
    ended: bool


def fast(pieces: Sequence[bytes]) -> Read:
    reader = FrameReader(MAX)
    messages: list[str | None] = []
    replies = b""
    for piece in pieces:
        if not reader.ended:
            messages += reader.feed(piece)
            while reader.more and not reader.ended:
                messages += reader.feed(b"")
            replies += reader.take_replies()
    return Read(messages, replies, reader.ended)


class Reference(ServerProtocol):
    """But a close may stand between fragments, as any control frame may: RFC 6455, section 5.4."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


def reference(data: bytes) -> Read:
    """`websockets` alone, a byte at a time; what it leaves to its user is done plainly."""
    protocol = Reference(state=OPEN, max_size=MAX)
    messages: list[str | None] = []
    fragments: list[Frame] = []
    replies = b""
    for at in range(len(data)):
        if protocol.eof_sent:
            break
        protocol.receive_data(data[at : at + 1])
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                fragments.append(event)
                if event.fin:
                    _finish(protocol, fragments, messages)
                    fragments = []
        replies += b"".join(protocol.data_to_send())
    return Read(messages, replies, protocol.eof_sent)


def _finish(protocol: ServerProtocol, fragments: list[Frame], messages: list[str | None]) -> None:
    data = b"".join(fragment.data for fragment in fragments)
    try:
        is_text = fragments[0].opcode is Opcode.TEXT
        messages.append(data.decode() if is_text else None)
    except UnicodeDecodeError:
        protocol.fail(1007, "text that is not UTF-8")


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(edges)]


payloads = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=20).map(str.encode),
    st.sampled_from([0, 1, 124, 125, 126, 127, 150, MAX - 1, MAX, MAX + 1]).map(b"x".__mul__),
    st.sampled_from([b"\x03\xe8", b"\x03\xe8bye", b"\x03", b"\x00\x00", b"\x03\xe8\xff"]),
)
likely = st.builds(frame, payloads, st.sampled_from([TEXT, TEXT, TEXT, CONT, PING, PONG, BINARY]))
any_frame = st.builds(
    frame,
    payloads,
    st.one_of(st.sampled_from([CONT, TEXT, BINARY, CLOSE, PING, PONG]), st.integers(0, 15)),
    fin=st.booleans(),
    masked=st.sampled_from([True, True, True, False]),
    rsv=st.sampled_from([0, 0, 0, 1, 4]),
)
fragmented = st.lists(payloads, min_size=2, max_size=5).map(
    lambda parts: b"".join(
        frame(part, CONT if at else TEXT, fin=at == len(parts) - 1) for at, part in enumerate(parts)
    )
)
# A length that needs no extension written with one: RFC 6455 forbids it, the library takes it.
wasteful = st.binary(max_size=30).map(
    lambda data: b"\x81\xfe" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data
)
streams = st.lists(st.one_of(likely, likely, fragmented, any_frame, wasteful), max_size=12).map(
    b"".join
)
places = st.lists(st.integers(0, 5_000), max_size=12)


@settings(max_examples=300)
@given(streams, places)
@example(b"\x81", [])
@example(frame("ab")[:5] + b"", [1])
@example(frame("\ud800".encode("utf-8", "surrogatepass")) + frame("more"), [])
@example(frame(b"", PONG) + frame("x"), [1, 2, 3])
@example(frame("a", fin=False) + frame("b") + frame("c"), [])
@example(frame("a", fin=False) + frame(b"p", PING) + frame("b", CONT), [3, 9])
@example(frame("a", fin=False) + frame(b"\x03\xe8", CLOSE) + frame("b", CONT), [3, 9])
@example(frame("a", fin=False) + frame(b"\x03\xe8", CLOSE, fin=False), [])
@example(frame("x" * 126) + frame("x" * 200, PONG), [])
@example(frame("x" * 200)[:3] + b"", [])
@example(frame("x" * 200) + frame(b"\xff" * 130) + frame("more"), [1, 3, 4])
@example(b"".join(frame("", CONT if n else TEXT, fin=False) for n in range(40)), [99])
def test_it_reads_frames_as_the_library_does(data: bytes, places: list[int]) -> None:
    assert fast(cut(data, places)) == reference(data)


@settings(max_examples=300)
@given(st.lists(st.one_of(likely, any_frame, wasteful), max_size=8))
@example([frame("a", fin=False), frame("b")])
@example([frame("a", fin=False), frame("b", PING), frame("c", CONT), frame("d")])
@example([frame(b"\xff"), frame("after")])
def test_it_reads_frames_that_come_one_by_one_as_the_library_does(frames: list[bytes]) -> None:
    assert fast(frames) == reference(b"".join(frames))


@settings(max_examples=300)
@given(st.binary(max_size=60), st.binary(max_size=400), places)
def test_it_reads_any_bytes_as_the_library_does(a: bytes, b: bytes, places: list[int]) -> None:
    data = frame(a) + b
    assert fast(cut(data, places)) == reference(data)


@settings(max_examples=200)
@given(streams, st.integers(0, 5_000), st.integers(0, 7), places)
def test_one_flipped_bit(data: bytes, at: int, bit: int, places: list[int]) -> None:
    if data:
        flipped = bytearray(data)
        flipped[at % len(data)] ^= 1 << bit
        data = bytes(flipped)
    assert fast(cut(data, places)) == reference(data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, MAX])
def test_every_size_in_every_cut(size: int) -> None:
    data = frame("é" * (size // 2) + "x" * (size % 2)) + frame("after")
    whole = fast([data])
    assert len(whole.messages) == 2
    for at in range(len(data)):
        assert fast([data[:at], data[at:]]) == whole


def code(replies: bytes) -> int:
    assert replies[0] == 0x80 | CLOSE
    return int.from_bytes(replies[2:4], "big")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame("x" * (MAX + 1)), 1009),
        (frame("x" * (MAX + 1))[:4], 1009),
        (frame("x" * 200, fin=False) + frame("x" * 200, CONT), 1009),
        (frame("x" * 200, fin=False) + frame("x" * 101, CONT)[:2], 1009),
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7, 1009),
        (frame("x", masked=False), 1002),
        (frame("x", rsv=4), 1002),
        (frame("x", 3), 1002),
        (frame("x" * 126, PING), 1002),
        (frame("x", PING, fin=False), 1002),
        (frame("x", CONT), 1002),
        (frame(b"\xff"), 1007),
        (frame(b"\xc3", fin=False) + frame(b"(", CONT), 1007),
        (frame(b"\x03\xe8bye", CLOSE), 1000),
        (frame(b"", TEXT, fin=False) + frame(b"", CONT, fin=False) * 100, 1008),
    ],
)
def test_what_is_wrong_ends_it_with_its_code(data: bytes, expected: int) -> None:
    read = fast([data + frame("after")])
    assert (read.messages, code(read.replies), read.ended) == ([], expected, True)


@pytest.mark.parametrize("before", [b"", frame("a", fin=False)])
@pytest.mark.parametrize("opcode", [PING, PONG])
def test_a_flood_of_control_frames_is_cut_off(before: bytes, opcode: int) -> None:
    """Each ping that is answered takes time, and all others wait for it."""
    data = before + frame("p" * 125, PING) + frame("p" * 125, opcode) * 500
    if opcode == PONG and not before:  # these are not even looked at
        assert fast([data]).ended is False
        return
    read = fast([data])
    pongs, _, end = read.replies.rpartition(b"\x88")
    assert len(pongs) <= 65 * 127
    assert int.from_bytes(end[1:3], "big") == 1008
    assert read.ended


def test_a_close_between_fragments_is_answered_as_it_is_meant() -> None:
    """Autobahn's case 7.1.5: what stands behind it is not even read."""
    data = frame("a", fin=False) + frame(b"\x03\xe8", CLOSE) + frame("b", CONT)
    read = fast([data])
    assert (read.messages, code(read.replies), read.ended) == ([], 1000, True)


FRAGMENTS = (frame("", fin=False) + frame("", CONT, fin=False) * 41 + frame("x", CONT)) * 20
PINGS = frame("p", PING) * 60


@pytest.mark.parametrize(
    ("data", "frames", "messages"),
    [
        (FRAGMENTS, 860, ["x"] * 20),
        (PINGS + frame("after"), 60, ["after"]),
        (frame("", PONG) * 300 + frame("after"), 300, ["after"]),
        (b"".join(frame(f"{n}") for n in range(500)), 0, [f"{n}" for n in range(500)]),
        ((frame("y" * 200) + frame("z")) * 50, 0, ["y" * 200, "z"] * 50),
    ],
    ids=["fragments", "pings", "pongs", "usual", "long"],
)
def test_one_call_deals_with_few_frames_and_the_rest_is_not_lost(
    data: bytes, frames: int, messages: list[str]
) -> None:
    reader = FrameReader(MAX)
    read = reader.feed(data)
    counted = reader.unusual
    assert len(read) <= 64
    assert counted <= (300 if frames == 300 else 16)
    while reader.more:
        reader.unusual = 0
        more = reader.feed(b"")
        assert len(more) <= 64
        assert reader.unusual <= 16
        read += more
        counted += reader.unusual
    assert (read, counted) == (messages, frames)


def test_what_was_kept_is_read_before_what_comes() -> None:
    reader = FrameReader(MAX)
    reader.keep(frame("a") + frame("b")[:3])
    assert reader.more
    assert reader.feed(frame("b")[3:] + frame("c")) == ["a", "b", "c"]
    assert not reader.more


def test_what_follows_its_own_close_is_passed_over_and_costs_nothing() -> None:
    reader = FrameReader(MAX)
    reader.close(1012, "")
    assert reader.feed(FRAGMENTS + frame(b"\x03\xf4", CLOSE)) == []
    while reader.more:
        reader.feed(b"")
    assert (reader.unusual, reader.ended, reader.take_replies()) == (0, True, b"")


def test_many_pings_one_after_the_other_are_no_flood() -> None:
    read = fast([frame("p", PING)] * 1_000)
    assert (read.replies, read.ended) == (frame("p", PONG, masked=False) * 1_000, False)


def test_a_character_cut_between_fragments_is_whole_again() -> None:
    data = frame("é".encode()[:1], fin=False) + frame("é".encode()[1:], CONT)
    assert fast([data]) == Read(["é"], b"", False)


def test_after_its_own_close_it_waits_for_the_other_half_and_drops_messages() -> None:
    reader = FrameReader(MAX)
    assert reader.feed(frame("a") + frame("b")[:3]) == ["a"]
    assert code(reader.close(1012, "ü" * 200)) == 1012
    assert reader.close(1012, "twice") == b""
    assert reader.feed(frame("b")[3:] + frame("c")) == []
    assert not reader.ended
    assert reader.feed(frame(b"\x03\xf4", CLOSE)) == []
    assert reader.ended


def test_a_close_in_the_middle_of_a_fragmented_message() -> None:
    reader = FrameReader(MAX)
    assert reader.feed(frame("a", fin=False)) == []
    assert code(reader.close(4008, "slow")) == 4008
    assert reader.feed(frame("b", CONT) + frame(b"\x0f\xa8", CLOSE)) == []
    assert reader.ended
