"""Makes actions happen: to clients, to their connections, to the server and to its disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from errno import EIO
from random import Random

from .actions import (
    CALLS,
    ELSEWHERE,
    Action,
    Come,
    Conflict,
    Crash,
    Cut,
    Fail,
    Go,
    Heal,
    Jump,
    PowerLoss,
    Repeat,
    Restart,
    Say,
    Stall,
    Swallow,
    Type,
    Visit,
    Wait,
)
from .client import Client
from .host import Host
from .plain import Plain
from .system import Fault, System
from .truth import Said, Truth


class Cast:
    """All clients, and the hands that pull the plugs."""

    def __init__(
        self,
        clients: Sequence[Client],
        truth: Truth,
        host: Host,
        system: System,
        random: Random,
    ) -> None:
        self.clients = list(clients)
        self._truth = truth
        self._host = host
        self._system = system
        self._random = random
        self._said = 0
        wanderer = self.clients[-1]
        assert isinstance(wanderer, Plain)
        self._wanderer = wanderer
        for client in self.clients[:-1]:
            if random.random() < 0.8:
                client.come()

    def act(self, action: Action) -> float:
        """Do it; returns the seconds until the next."""
        match action:
            case Come() | Go() | Say() | Repeat() | Conflict() | Type():
                self._to_client(self.clients[action.client], action)
            case Cut() | Swallow() | Stall():
                self._to_link(self.clients[action.client], action)
            case Visit():
                self._wanderer.move(ELSEWHERE[action.room])
                self._wanderer.come()
                self._say(self._wanderer)
            case Restart() | Crash() | PowerLoss():
                self._to_server(action)
            case Fail():
                self._fail_calls(CALLS[action.call], action)
            case Heal():
                self._system.faults.clear()
            case Jump():
                self._system.clock_skew += action.ms
            case Wait():
                return action.seconds
        return self._random.expovariate(20)

    # When all is to be well.

    def heal(self) -> None:
        """The disk works, nobody stalls, and everybody comes; but the wanderer goes."""
        self._system.faults.clear()
        self._system.doomed_in = None
        for client in self.clients:
            client.come()
            if client.link is not None:
                client.link.stall(False)
        self._wanderer.go()
        self._wanderer.forget()

    def leave(self) -> None:
        for client in self.clients:
            client.go()

    def is_settled(self) -> bool:
        return all(client.is_settled for client in self.clients)

    def waiting(self) -> list[str]:
        return [client.name for client in self.clients if not client.is_settled]

    def stored(self) -> list[Said]:
        return [said for client in self.clients for said in client.stored]

    def check_rosters(self) -> None:
        """Everybody knows who is there: v1 each session, v2 each name, or in a crowd how many."""
        for client in self.clients:
            here = [other for other in self.clients if other.online and other.room == client.room]
            names = Counter(other.name for other in here)
            is_big = len(here) > self._truth.settings.big_room
            if not client.online:
                continue
            if client.v2 and is_big:
                right = client.members == len(here)
            else:
                right = client.roster == (Counter(set(names)) if client.v2 else names)
            if not right:
                self._truth.fail(
                    f"{client.name} takes {client.roster} ({client.members}) to be there,"
                    f" and there are {names}"
                )

    # How it is done.

    def _to_client(self, client: Client, action: Action) -> None:
        match action:
            case Come():
                client.come()
            case Go():
                client.go()
            case Say():
                for _ in range(action.count):
                    self._say(client)
            case _ if not isinstance(client, Plain):
                pass
            case Repeat() if client.has_ids and client.stored:
                client.repeat(self._random.choice(client.stored))
            case Conflict() if client.has_ids and client.stored:
                id = self._random.choice(client.stored).id
                if not client.is_saying(id):  # else no answer could tell it which was meant
                    self._say(client, id=id)
            case Type():
                client.type()

    def _say(self, client: Client, id: str | None = None) -> None:
        self._said += 1
        if id is None and client.has_ids:
            id = f"id{self._said}"
        text = f"m{self._said}" + self._random.choice(("", "", " long" * 150))
        said = Said(text, id, client.room, client.name)
        self._truth.say(said)
        client.say(said)

    def _to_link(self, client: Client, action: Cut | Swallow | Stall) -> None:
        link = client.link
        if link is None:
            return
        match action:
            case Cut():
                link.cut(action.notice)
            case Swallow():
                link.swallow()
            case Stall():
                link.stall(action.stalled)

    def _to_server(self, action: Restart | Crash | PowerLoss) -> None:
        if isinstance(action, Restart):
            self._host.restart()
        else:
            self._host.doom(action.calls, power=isinstance(action, PowerLoss))

    def _fail_calls(self, calls: str, action: Fail) -> None:
        for call in calls.split():
            error = action.error or (0 if call == "write" else EIO)
            self._system.faults.append(Fault(call, error, action.times))
        if "fsync" in calls:
            self._truth.sync_is_sure = False
