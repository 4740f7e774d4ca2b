"""One connection's life in a room, over the socket it is handed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.commands import Speak, Type
from edgechat.chat.errors import Close, Refusal, StorageUnavailable
from edgechat.chat.names import user_name
from edgechat.chat.outgoing import error, pong
from edgechat.chat.protocol import Hello, Ping, Say, Typing
from edgechat.chat.session import Received, Session
from edgechat.rooms.catchup import Catchup
from edgechat.rooms.defects import note_defect
from edgechat.rooms.refusals import note_refusal
from edgechat.rooms.room import Room
from edgechat.rooms.socket import Disconnected, Socket
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_CHARS = 500  # of JSON that take as long as a short frame


async def be_member(socket: Socket, room: Room, allowance: Spendable, settings: Settings) -> None:
    """From the hello to the good-bye. The caller owns `socket`, and closes it afterwards.

    A defect in here ends this connection alone (1011).
    """
    member = Member(socket, room, allowance, settings)
    with room.visit(socket):
        try:
            await member.live()
        except Disconnected:
            pass
        except StorageUnavailable as failure:
            log.error("The history of %s can't be read: %s", room.key, failure)
            socket.close(Close.FULL, "the history can't be read now")
        except Exception as defect:
            note_defect("a connection", defect)
            socket.close(Close.DEFECT, "a defect in the server")
        finally:
            room.leave(member.session)


class Member:
    """What one connection may still send, and what it is answered."""

    __slots__ = (
        "_room",
        "_settings",
        "_socket",
        "_unsent",
        "session",
    )

    def __init__(
        self, socket: Socket, room: Room, allowance: Spendable, settings: Settings
    ) -> None:
        self.session = Session(allowance, settings)
        self.session.charge = socket.charge
        self._socket = socket
        self._room = room
        self._settings = settings
        self._unsent: Speak | Type | None = None  # of a text that was left, as it has to wait

    async def live(self) -> None:
        """Say hello, join, and pass on what is said. Raises `Disconnected` at the end."""
        hello, texts = await self._wait_hello()
        try:
            await self._arrive(hello)
        except Refusal as refusal:
            self._refuse(refusal)
        while True:
            for count, text in enumerate(texts, 1):
                command, self._unsent = self._unsent or self._read(text), None
                if command is not None:
                    await self._send(command)
                if count % self._settings.frames_at_once == 0:
                    await trio.lowlevel.checkpoint()  # one who floods must not keep the others out
            texts = await self._socket.receive(self.handle_nowait)

    def handle_nowait(self, texts: Sequence[str | None]) -> Sequence[str | None]:
        """Do what is asked without waiting. One who floods, or fills the inbox, has to wait."""
        if len(texts) > self._settings.frames_at_once:
            return texts
        session, room = self.session, self._room
        for at, text in enumerate(texts):
            try:
                received = session.receive(text)
                if type(received) is Say:
                    command: Speak | Type | None = Speak(session, received)
                else:
                    command = self._answer(received, text)
                if command is not None:
                    room.post_nowait(command)
            except trio.WouldBlock:
                self._unsent = command
                return texts[at:]
            except Refusal as refusal:
                self._refuse(refusal, text)
        return ()

    async def _send(self, command: Speak | Type) -> None:
        try:
            await self._room.post(command)
        except Refusal as refusal:
            self._refuse(refusal)

    async def _wait_hello(self) -> tuple[Hello, Sequence[str | None]]:
        """The hello, and what came in the same breath."""
        with trio.move_on_after(self._settings.hello_timeout):
            while True:
                texts = await self._socket.receive()
                for at, text in enumerate(texts, 1):
                    if (hello := self._hello(text)) is not None:
                        return hello, texts[at:]
        self._socket.close(Close.SILENT, "no hello")
        raise Disconnected

    def _hello(self, text: str | None) -> Hello | None:
        try:
            command = self.session.receive(text)
            assert isinstance(command, Hello)
            name = user_name(command.name, self._settings.max_name_chars)
        except Refusal as refusal:
            self._refuse(refusal)
            return None
        self.session.introduce(name, v2=command.v2)
        return command

    async def _arrive(self, hello: Hello) -> None:
        state = await self._room.wait_opened()
        catchup = Catchup(state, self._room.history, self.session, self._socket, self._settings)
        join = await catchup.join(hello)
        admitted = False
        while not admitted:
            join = await catchup.read_up(join)
            admitted = await self._room.join(join, self._socket)

    def _read(self, text: str | None) -> Speak | Type | None:
        """What the room is asked to do; all else is answered here."""
        try:
            received = self.session.receive(text)
        except Refusal as refusal:
            self._refuse(refusal, text)
            return None
        if type(received) is Say:
            return Speak(self.session, received)
        return self._answer(received, text)

    def _answer(self, received: Received, text: str | None) -> Type | None:
        """A ping is answered here; that somebody types goes to the room, but not too often."""
        self._charge(text)
        if isinstance(received, Ping):
            self._socket.write(pong(received.value))
            return None
        assert isinstance(received, Typing), received
        now = trio.current_time()
        may = self.session.may_show_typing(now, self._settings.typing_interval)
        return Type(self.session) if may else None

    def _charge(self, text: str | None) -> None:
        """It costs no allowance, but reading it does cost: by its length as well."""
        self._socket.charge(1.0 + len(text or "") / _CHARS)

    def _refuse(self, refusal: Refusal, text: str | None = None) -> None:
        """Say what is wrong; the connection stays, or ends where it must."""
        note_refusal(refusal.code)
        self._charge(text)
        self._socket.write(error(refusal))
        if refusal.close is not None:
            self._socket.close(refusal.close, refusal.text)
            raise Disconnected
