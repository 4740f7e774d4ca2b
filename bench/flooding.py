"""One member sends as fast as its socket takes it: what do the others feel?"""

from __future__ import annotations

from bench.chatting import open_rate, spread
from bench.crowd import Crowd, Member
from bench.frame import MARK, Sayings, hello, text_frame
from bench.load import Load, Sender
from bench.measurement import Figures, Stretch, due, latency_figures, talk
from bench.process import Server

MEMBERS, SENDERS, RATE = 20, 4, 40.0
FRAME = text_frame(b'{"message":"' + MARK + b'flood, flood, flood, flood, flood, floo"}')
BLOCK_FRAMES = 256


class Flood:
    """A member whose socket is written to whenever it takes something."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._block = memoryview(FRAME * BLOCK_FRAMES)
        self._sent = 0

    def push(self) -> None:
        """Write what goes without waiting."""
        try:
            self._sent += self.member.socket.send(self._block[self._sent % len(self._block) :])
        except BlockingIOError:
            return

    def finish(self, load: Load) -> int:
        """End with a whole frame; returns how many there were."""
        load.errand = None
        while rest := -self._sent % len(FRAME):
            at = self._sent % len(self._block)
            try:
                self._sent += self.member.socket.send(self._block[at : at + rest])
            except BlockingIOError:
                load.turn(0.001)
        return self._sent // len(FRAME)


def flood(server: Server, seconds: float, *, same_room: bool) -> Figures:
    """Others chat at 40 a second, first without the flood, then with it."""
    crowd = Crowd(server.port)
    try:
        members = [Member("calm", hello(f"n{number}")) for number in range(MEMBERS)]
        flooder = Member("calm" if same_room else "wild", hello("flood"))
        crowd.join([*members, flooder])
        crowd.settle()
        senders = [Sender(m, Sayings(key), key) for key, m in enumerate(spread(members, SENDERS))]
        load = Load(crowd, senders, [])  # it is they who are timed: to parse a flood takes long
        calm = talk(load, server, open_rate(RATE), seconds)
        del load.latencies[:]
        return calm_and_wild(load, server, Flood(flooder), seconds, calm)
    finally:
        crowd.close()


def calm_and_wild(
    load: Load, server: Server, flood: Flood, seconds: float, calm: Figures
) -> Figures:
    """The others' latency under the flood, beside theirs without."""
    stretch = Stretch.begin(server)
    load.errand = flood.push
    open_rate(RATE)(load, seconds)
    frames = flood.finish(load)
    room = flood.member.room
    hearers = sum(member.room == room for member in load.crowd.members.values())
    load.drain(due(load) + frames * hearers)
    said = load.said()
    said[room] += frames
    load.check(said)
    wild = latency_figures(load)
    return {
        "disturbed": max(calm["disturbed"], stretch.end()["disturbed"]),
        "flood_per_s": frames / seconds,
        "p99_us": wild["p99_us"],
        "p50_us": wild["p50_us"],
        "max_us": wild["max_us"],
        "calm_p99_us": calm["p99_us"],
        "p99_ratio": wild["p99_us"] / calm["p99_us"],
    }
