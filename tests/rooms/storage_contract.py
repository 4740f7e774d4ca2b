"""What every `edgechat.rooms.storage.Storage` promises a room.

A test module runs the suite against its storage: it imports `*` from here and has a fixture
`stored` that yields a `Stored` whose storage runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from edgechat.chat.line import Entry, StoredLine, encode_name, encode_said
from edgechat.chat.names import RoomKey
from edgechat.rooms.storage import Answer, Log, Storage

NOW_MS = 1_763_880_000_000
LOBBY = RoomKey("lobby", private=False)
OTHERS = [RoomKey(name, private=False) for name in ("ops", "team", "random")]
SOON = 10.0  # seconds in which a storage has answered, whatever the machine does


@dataclass
class Stored:
    """A storage, and what it answered."""

    storage: Storage
    answers: dict[int, Exception | None] = field(default_factory=dict)
    _came: trio.Event = field(default_factory=trio.Event)

    def take(self, answers: Sequence[Answer]) -> None:
        """What the storage is started with: answers that come later."""
        for ticket, failure in answers:
            assert ticket not in self.answers, "answered twice"
            self.answers[ticket] = failure
        self._came.set()

    async def store(self, *submissions: tuple[Log, StoredLine, Sequence[bytes]]) -> None:
        """One turn: submit all of these, send them, and wait until each is answered with success.

        A submission is a log, the line that its lines go on from, and the lines.
        """
        tickets = range(len(self.answers), len(self.answers) + len(submissions))
        for ticket, (log, after, lines) in zip(tickets, submissions, strict=True):
            self.storage.submit(log, after, lines, ticket)
        self.take(self.storage.send())
        with trio.fail_after(SOON):
            while len(self.answers) < tickets.stop:
                self._came = trio.Event()
                await self._came.wait()
        assert [self.answers[ticket] for ticket in tickets] == [None] * len(tickets)


def follow(last: StoredLine, texts: Sequence[str], ids: bool = False) -> list[StoredLine]:
    """The lines after `last` that say these texts; with `ids`, each text is its id as well."""
    lines = []
    for text in texts:
        said = encode_said(text, text if ids else None)
        last = last.next(NOW_MS, encode_name("alice"), said)
        lines.append(last)
    return lines


def head(log: Log) -> StoredLine:
    """The last line of a log as it was opened."""
    opened = log.opened
    return StoredLine(opened.head.seq, bytes.fromhex(opened.head.h), opened.stamp, b"")


def brief(entries: Sequence[Entry]) -> list[tuple[int, bytes | None]]:
    return [(entry.seq, entry.line) for entry in entries]


def raw(lines: Sequence[StoredLine]) -> list[bytes]:
    return [line.line for line in lines]


async def say(stored: Stored, log: Log, count: int, ids: bool = False) -> list[StoredLine]:
    """Store so many lines, three in a turn."""
    lines = follow(head(log), [f"m{n}" for n in range(count)], ids)
    after = head(log)
    for first in range(0, count, 3):
        some = lines[first : first + 3]
        await stored.store((log, after, raw(some)))
        after = some[-1]
    return lines


async def test_a_room_in_which_nobody_spoke_has_no_history(stored: Stored) -> None:
    log = await stored.storage.open(LOBBY)
    assert not log.opened.exists
    assert log.opened.head == log.opened.base
    assert list(log.opened.backlog) == []
    assert (list(await log.after(0, 10)), list(await log.before(10, 10))) == ([], [])
    assert await log.ids(100) == {}
    log.close()


async def test_what_was_stored_is_there_when_the_room_is_opened_again(stored: Stored) -> None:
    log = await stored.storage.open(LOBBY)
    base = log.opened.base
    lines = await say(stored, log, 7)
    log.close()
    again = await stored.storage.open(LOBBY)
    assert again.opened.exists
    assert (again.opened.base, again.opened.head) == (base, lines[-1].token)
    assert again.opened.stamp == lines[-1].stamp
    assert brief(again.opened.backlog) == [(line.seq, line.line) for line in lines]
    await stored.store((again, lines[-1], raw(follow(lines[-1], ["more"]))))
    assert [entry.seq for entry in await again.after(0, 100)] == list(range(1, 9))
    again.close()


async def test_it_is_read_from_either_side_in_the_order_of_the_numbers(stored: Stored) -> None:
    log = await stored.storage.open(LOBBY)
    lines = await say(stored, log, 20)
    all_of_it = [(line.seq, line.line) for line in lines]
    for seq in (0, 1, 9, 19):
        assert brief(await log.after(seq, 100)) == all_of_it[seq:]
        assert brief(await log.after(seq, 3)) == all_of_it[seq : seq + 3]
    for seq in (2, 10, 21):
        assert brief(await log.before(seq, 100)) == all_of_it[: seq - 1]
        assert brief(await log.before(seq, 3)) == all_of_it[max(0, seq - 4) : seq - 1]
    assert (list(await log.after(20, 5)), list(await log.before(1, 5))) == ([], [])
    log.close()


async def test_ids_are_found_as_deep_as_asked(stored: Stored) -> None:
    log = await stored.storage.open(LOBBY)
    await say(stored, log, 10, ids=True)
    log.close()
    again = await stored.storage.open(LOBBY)
    assert list((await again.ids(100)).items()) == [(f"m{n}", n + 1) for n in range(10)]
    assert list((await again.ids(4)).items())[-4:] == [(f"m{n}", n + 1) for n in range(6, 10)]
    again.close()


async def test_rooms_of_one_turn_are_kept_apart(stored: Stored) -> None:
    logs = [await stored.storage.open(key) for key in OTHERS]
    said = [follow(head(log), [f"{n}.{k}" for k in range(n + 1)]) for n, log in enumerate(logs)]
    turn = [(log, head(log), raw(lines)) for log, lines in zip(logs, said, strict=True)]
    await stored.store(*turn)
    for log, key, lines in zip(logs, OTHERS, said, strict=True):
        log.close()
        again = await stored.storage.open(key)
        assert [entry.line for entry in await again.after(0, 100)] == raw(lines)
        again.close()


async def test_what_was_answered_can_be_read_at_once(stored: Stored) -> None:
    log = await stored.storage.open(LOBBY)
    last = head(log)
    for n in range(5):
        (line,) = follow(last, [f"{n}"])
        await stored.store((log, last, [line.line]))
        assert brief(await log.after(last.seq, 10)) == [(line.seq, line.line)]
        last = line
    log.close()


async def test_closing_lets_go_of_nothing_that_was_sent(stored: Stored) -> None:
    log = await stored.storage.open(LOBBY)
    lines = follow(head(log), ["the last word"])
    await stored.store((log, head(log), raw(lines)))
    log.close()
    again = await stored.storage.open(LOBBY)
    assert again.opened.head == lines[-1].token
    again.close()


async def test_a_turn_without_words_has_no_answers(stored: Stored) -> None:
    assert list(stored.storage.send()) == []
