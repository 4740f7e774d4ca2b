"""What a seed decides before anything happens: the server's settings, and who its clients are."""

from __future__ import annotations

from pathlib import Path
from random import Random

from edgechat.settings import Settings

from .actions import CLIENTS, ROOMS
from .client import Client, Dial
from .librarian import Librarian
from .plain import Habits, Plain
from .truth import Truth


def settings(random: Random) -> Settings:
    """Small numbers, so that every limit is met; each at its usual value as well."""
    # What a newcomer is sent in one write, recent lines or a page, has to fit into an outbox.
    recent, page, outbox = random.choice(
        ((600, 300, 4096), (600, 300, 1 << 19), (600, 1 << 18, 1 << 19), (1 << 18, 300, 1 << 19))
    )
    return Settings(
        data=Path("/data"),
        durability=random.choice(("os", "disk")),
        message_interval=random.choice((0.0, 0.2)),
        message_grace=1.0,
        backlog=random.choice((3, 100)),
        room_idle=random.choice((0.5, 5.0, 20.0)),
        max_rooms=random.choice((3, 100)),
        max_opened_per_minute=0,
        max_resume=random.choice((8, 10_000)),
        known_ids=random.choice((15, 10_000)),
        recent_lines=random.choice((1, 6, 1_000)),
        recent_bytes=recent,
        inbox=random.choice((1, 4, 256)),
        batch=random.choice((1, 3, 1_000)),
        frames_at_once=random.choice((1, 16)),
        big_room=random.choice((2, 250, 250)),
        outbox_bytes=outbox,
        page_bytes=page,
        journal_bytes=random.choice((2_000, 1 << 26)),
        journal_age=random.choice((0.5, 10.0)),
    )


def clients(seed: str, settings: Settings, truth: Truth, dial: Dial) -> list[Client]:
    """Some in each room; two share a name. The last one is the wanderer."""
    people: list[Client] = []
    for number in range(CLIENTS):
        random = Random(f"{seed}/client {number}")
        name = f"u{number}" if number != 3 else "u2"
        room = ROOMS[number >= 4]
        backlog = random.choice((0, 2, 1_000))
        if number in (0, 4):
            people.append(Librarian(name, room, truth, dial, random, backlog))
            continue
        v2, resumes = (random.random() < 0.5, True) if number < 3 else (number == 3, False)
        patient = random.random() < 0.7
        doubles = random.random() < 0.3
        habits = Habits(v2, resumes, number not in (3, 5), patient, doubles, backlog)
        people.append(Plain(name, room, habits, truth, dial, random))
    return people
