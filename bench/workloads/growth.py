"""How cost grows: the same work with more members, rooms, connections or lines of history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.load.pace import one_in_flight, windowed
from bench.workloads import growth_history
from bench.workloads.chat import Chat, rooms_of_two
from bench.workloads.workload import Workload

CPU_PER_DELIVERY = {"cpu_us_per_delivery": "EdgeChat"}
ROOM_MEMBERS = 100
SPARE_FILES = 200
LARGE = 5_000  # connections: from there on, `--quick` leaves it out


@dataclass(frozen=True)
class Series:
    """One cause of growth: a workload of each size."""

    key: str
    title: str
    grows: str  # what the size counts
    sizes: tuple[int, ...]
    figures: dict[str, str]  # of each workload, with their headings
    make: Callable[[str, str, int], Workload]  # of key, title and size
    unit: str = "\u00b5s of CPU per delivery"
    beside_floor: bool = True

    def key_of(self, size: int) -> str:
        """The key of the workload of this size."""
        return f"{self.key}-{size}"

    def workloads(self) -> list[Workload]:
        """One of each size."""
        return [self.make(self.key_of(size), f"{size:,} {self.grows}", size) for size in self.sizes]


def of_chat(key: str, title: str, chat: Chat) -> Workload:
    """A workload of EdgeChat and the floor. A server has a file open for each room."""
    connections = chat.rooms * chat.members
    return Workload(key, title, chat.run, peers=False, rounds=3, large=connections >= LARGE,
                    files=connections + chat.rooms + SPARE_FILES)  # fmt: skip


def members(key: str, title: str, size: int) -> Workload:
    """One room; v2 clients, as a room of 10,000 costs a v1 client 10,000 notices."""
    return of_chat(key, title, Chat(1, size, 1, one_in_flight, v2=True))


def rooms(key: str, title: str, size: int) -> Workload:
    """Rooms of two, one message in flight in each."""
    return of_chat(key, title, rooms_of_two(size))


def connections(key: str, title: str, size: int) -> Workload:
    """Rooms of a hundred, one message in flight in each."""
    return of_chat(key, title, Chat(size // ROOM_MEMBERS, ROOM_MEMBERS, 1, windowed(1), timed=1))


SERIES = (
    Series("growth-members", "Members of one room, one message in flight", "members",
           (2, 10, 100, 1_000, 10_000), CPU_PER_DELIVERY, members),
    Series("growth-rooms", "Rooms of two, one message in flight in each", "rooms",
           (10, 100, 1_000, 10_000), CPU_PER_DELIVERY, rooms),
    Series("growth-connections", "Connections, 100 to a room, one message in flight in each",
           "connections", (1_000, 5_000, 20_000), CPU_PER_DELIVERY, connections),
    Series("growth-history", "Lines of history", "lines",
           (1_000, 10_000, 100_000, 1_000_000, 10_000_000), growth_history.FIGURES,
           growth_history.workload, unit="ms of CPU", beside_floor=False),
)  # fmt: skip

WORKLOADS = tuple(workload for series in SERIES for workload in series.workloads())
GROUPS = {
    "growth": [workload.key for workload in WORKLOADS],
    **{series.key: [series.key_of(size) for size in series.sizes] for series in SERIES},
}
