"""What strangers' bytes are given to, as functions of bytes: any may be refused, none may harm.

Each raises `AssertionError`, or whatever else went wrong. `test_targets.py` runs them under
hypothesis, and `python -m tests.fuzz` under atheris.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import h11

from edgechat.chat import protocol
from edgechat.chat.errors import Refusal, StorageUnavailable
from edgechat.chat.message import check_message
from edgechat.chat.names import BadRoomName, PrivateIds, room_key, user_name
from edgechat.chat.origin import parse_origin
from edgechat.history import reader, repair
from edgechat.net.client_address import client_address
from edgechat.net.frames import FrameReader
from edgechat.net.handshake import shake_hands
from edgechat.net.hosts import Hosts
from edgechat.net.refused import Refused
from edgechat.net.request_head import Head, find
from edgechat.settings import ProxyHeader, Settings
from tests.serving.files import header

SETTINGS = Settings(public_hosts=("chat.example",))
IDS = PrivateIds(b"k" * 32)
ORIGINS = {parse_origin("https://friend.example")}
HOSTS = Hosts(SETTINGS)
PROXY_HEADERS: tuple[ProxyHeader, ...] = ("X-Forwarded-For", "Forwarded")
PROXIES = ("10.0.0.1", "10.1.0.0/16")


def door(data: bytes) -> None:
    """A request's head, wherever it is cut; and nothing is understood in two ways behind it."""
    pieces = [data[:1], data[1:40], data[40:]]
    whole = bytearray()
    known = 0
    try:
        found = None
        for piece in pieces:
            whole += piece
            found = find(whole, SETTINGS.head_bytes, known)
            known = len(whole)
            if found is not None:
                break
        if found is None:
            return
        HOSTS.check(found, loopback=True)
        for name in PROXY_HEADERS:
            client_address("10.0.0.1", name, found.values(name), PROXIES)
        if found.wants_websocket:
            shake_hands(found, IDS, ORIGINS)
            return
    except Refused:
        return
    _second_opinion(found)


def _second_opinion(head: Head) -> None:
    """What the HTTP server reads is what the door has read: RFC 9112, section 11.2."""
    text = head.without_offer()
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=SETTINGS.head_bytes)
    server.receive_data(text)
    try:
        request = server.next_event()
    except h11.RemoteProtocolError:
        return  # refused there
    assert isinstance(request, h11.Request)
    assert request.target.decode("latin-1") == head.target
    names = {bytes(name) for name, _ in request.headers}
    assert b"upgrade" not in names
    hosts = [bytes(value).decode("latin-1") for name, value in request.headers if name == b"host"]
    assert hosts == head.values("Host")
    assert server.trailing_data[0] == b""
    if not head.has_body:
        assert isinstance(server.next_event(), h11.EndOfMessage)


def frames(data: bytes) -> None:
    """A WebSocket's bytes: what they say does not depend on how they are cut."""
    whole, parts = FrameReader(SETTINGS.max_frame_bytes), FrameReader(SETTINGS.max_frame_bytes)
    said = _read(whole, data)
    again: list[str | None] = []
    for at in range(0, len(data), 7):
        again += _read(parts, data[at : at + 7])
    if whole.close_code != 1008 and parts.close_code != 1008:  # so many controls at once
        assert (said, whole.ended, whole.close_code) == (again, parts.ended, parts.close_code)


def _read(reader: FrameReader, data: bytes) -> list[str | None]:
    said = reader.feed(data)
    while reader.more and not reader.ended:
        said += reader.feed(b"")
    return said


def text(data: bytes) -> None:
    """A frame's text: a command or a refusal, and the short cut leads where the long way does."""
    said = data.decode(errors="replace")
    short = protocol.plain_say(said, SETTINGS.max_message_chars)
    parsed = None
    with suppress(Refusal):
        parsed = protocol.parse(said)
        if isinstance(parsed, protocol.Say):
            check_message(parsed, SETTINGS.max_message_chars)
    assert short is None or short == parsed
    with suppress(Refusal):
        user_name(protocol.parse_hello(said).name, SETTINGS.max_name_chars)


def names(data: bytes) -> None:
    """A room's name in an address: one file under the folder, whatever it is."""
    said = data.decode(errors="replace")
    try:
        key = room_key(said, IDS)
    except BadRoomName:
        return
    assert room_key(key.name, IDS) == key
    assert not set(key.name) & set("/\\.\0\n :")
    assert len(f"{key.name}.jsonl".encode()) <= 255


def addresses(data: bytes) -> None:
    """What a proxy passes on of a client's making."""
    values = data.decode("latin-1").split("\n")
    for name in PROXY_HEADERS:
        client_address("10.0.0.1", name, values, PROXIES)
        assert client_address("203.0.113.9", name, values, PROXIES) == "203.0.113.9"


def history(data: bytes) -> None:
    """A file in the data folder: it is read, or refused, and nothing in it gets lost."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder) / "lobby.jsonl"
        path.write_bytes(header("lobby") + data)
        fd = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            repair.mend(fd, path, repair.longest_write(SETTINGS))
            file = repair.open_file(fd)
            opened = repair.open_history(file, 100, 1 << 17)
            entries = reader.read(file, 0, 1_000, 1 << 20)
            before = reader.read_before(file, opened.head.seq + 1, 50, 1 << 17)
        except StorageUnavailable:
            return
        finally:
            os.close(fd)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.seq for entry in before] == sorted({entry.seq for entry in before})
        assert all(entry.seq <= opened.head.seq for entry in entries)
        assert sum(len(left.read_bytes()) for left in Path(folder).iterdir()) >= len(data)


def _memory() -> str | None:
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "door": door,
    "frames": frames,
    "text": text,
    "names": names,
    "addresses": addresses,
    "history": history,
}
