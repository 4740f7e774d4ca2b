"""Whatever is cut, repeated, refused or too much: lines once and in order, says stored once."""

from __future__ import annotations

import json
from itertools import pairwise
from math import inf

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edgechat.client.conversation import Conversation
from edgechat.client.events import Disconnected, Event, Message, Ready, Reset
from edgechat.client.ids import Ids
from edgechat.client.reconnect import Ended
from edgechat.client.room_options import Options
from edgechat.client.unsent import Outgoing

from .model import Link, Server

OPTIONS = Options(buffer=4, backoff_base=0.001, random=lambda: 1.0, join_within=inf)


class Chat(RuleBasedStateMachine):
    """One client of a model server; a step is one frame or one act."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.server = Server()
        self.conversation = Conversation("alice", 3, None, Ids(), OPTIONS, now=0)
        self.link: Link | None = None
        self.said: list[Outgoing] = []
        self.events: list[Event] = []

    @precondition(lambda self: self.link is None)
    @rule()
    def connect(self) -> None:
        self.link = Link()
        self.link.up.append(self.conversation.connected(self.now))

    @precondition(lambda self: self.link is not None)
    @rule()
    def cut(self) -> None:
        self.link = None
        self.now += self.conversation.disconnected(Ended(), self.now)

    @precondition(lambda self: self.link is not None)
    @rule()
    def write(self) -> None:
        assert self.link is not None
        self.link.up.extend(self.conversation.due(self.now))

    @precondition(lambda self: self.link is not None and self.link.up)
    @rule()
    def reach_the_server(self) -> None:
        assert self.link is not None
        self.server.handle(self.link)

    @precondition(
        lambda self: self.link is not None and self.link.down and self.conversation.may_read
    )
    @rule()
    def read(self) -> None:
        assert self.link is not None
        answered = self.conversation.received(self.link.down.popleft(), self.now)
        assert all(entry.answer is not None for entry in answered)

    @rule()
    def another_speaks(self) -> None:
        stored = self.server.store("hi")
        if self.link is not None and self.link.joined:
            self.link.down.append(stored)

    @precondition(lambda self: len(self.said) < 20)
    @rule()
    def say(self) -> None:
        number = len(self.said)
        self.said.append(self.conversation.say(f"say {number}", f"id {number}", retry=True))

    @rule()
    def refuse_the_next(self) -> None:
        self.server.refuse_next = "storage_unavailable"

    @rule()
    def wait(self) -> None:
        self.now += 1

    @precondition(lambda self: self.conversation.timeline.feed)
    @rule()
    def take(self) -> None:
        self.events.append(self.conversation.take())
        if self.conversation.should_rejoin:
            self.cut()

    @invariant()
    def each_line_comes_once_and_in_order(self) -> None:
        for before, after in pairwise(
            event for event in self.events if isinstance(event, Message | Reset)
        ):
            if isinstance(after, Message) and isinstance(before, Message):
                assert after.seq == before.seq + 1

    @invariant()
    def each_say_is_stored_once_and_in_the_order_of_saying(self) -> None:
        texts = [json.loads(line)["message"] for line in self.server.lines]
        mine = [text for text in texts if text != "hi"]
        assert mine == [f"say {number}" for number in range(len(mine))]

    @invariant()
    def what_waits_is_bounded(self) -> None:
        one_join = 2 * FRAMES_OF_A_JOIN
        assert len(self.conversation.timeline.feed) <= OPTIONS.buffer + one_join

    def teardown(self) -> None:
        """Once the net is good, all comes through."""
        for _ in range(1_000):
            if self.link is None:
                self.connect()
            self.write()
            while self.link is not None and self.link.up:
                self.reach_the_server()
            while self.link is not None and self.link.down and self.conversation.may_read:
                self.read()
            while self.conversation.timeline.feed:
                self.take()
            self.wait()
            if self._is_quiet():
                break
        self._check_all_came_through()

    def _is_quiet(self) -> bool:
        link = self.link
        return link is not None and not link.up and not link.down and not self.conversation.unsent

    def _check_all_came_through(self) -> None:
        answers = [entry.answer for entry in self.said]
        echoes = [answer.message for answer in answers if isinstance(answer, Message)]
        assert echoes == [f"say {number}" for number in range(len(self.said))]
        lines = [event for event in self.events if isinstance(event, Message)]
        if lines:
            assert lines[-1].seq == len(self.server.lines)
        self.each_line_comes_once_and_in_order()
        readies = sum(isinstance(event, Ready) for event in self.events)
        assert readies >= sum(isinstance(event, Disconnected) for event in self.events)


FRAMES_OF_A_JOIN = 40
Chat.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=60,
)
TestChat = Chat.TestCase
