"""Saying something by a request of its own, without being a member of the room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

from edgechat.chat.commands import Speak
from edgechat.chat.line import parse_line
from edgechat.chat.message import check_message
from edgechat.chat.names import PrivateIds, RoomKey, user_name
from edgechat.chat.session import Session
from edgechat.http import answers
from edgechat.http.answers import Answer
from edgechat.http.api import Rooms, check_may_talk, find_key, visit
from edgechat.http.asked import Asked
from edgechat.http.callers import Callers
from edgechat.http.cors import cors_headers
from edgechat.http.errors import answer_to, not_allowed
from edgechat.http.post_body import Post, ReadBody, read_post
from edgechat.http.slack import read_slack
from edgechat.rooms.refusals import noting_refusals
from edgechat.rooms.room import Room
from edgechat.settings import Settings

Read = Callable[[Asked, ReadBody], Awaitable[Post]]


class Posts:
    """Answers what is asked of `/api/room/<r>/messages` and `/api/room/<r>/slack`."""

    def __init__(
        self,
        settings: Settings,
        rooms: Rooms,
        ids: PrivateIds,
        ready: Callable[[], bool],
        callers: Callers,
    ) -> None:
        """`ready` says whether the server is not stopping."""
        self._settings = settings
        self._rooms = rooms
        self._ids = ids
        self._ready = ready
        self._callers = callers

    async def answer(self, asked: Asked, room: str, what: str, read_body: ReadBody) -> Answer:
        """The answer to a request, whatever became of it.

        `room` and `what` (`messages` or `slack`) stand in its address. Raises `OSError` where the
        client is gone: what a disk says is a refusal.
        """
        try:
            answer = await self._answer(asked, room, what, read_body)
        except OSError:
            raise
        except Exception as error:
            answer = answer_to(error)
        if origins := self._settings.allowed_origins:
            headers = {**answer.headers, **cors_headers(asked, origins)}
            answer = answer._replace(headers=headers)
        return answer

    async def _answer(self, asked: Asked, room: str, what: str, read_body: ReadBody) -> Answer:
        """Raises `Wrong` and `Refusal`."""
        if asked.method != "POST":
            return not_allowed(asked.method, ["POST"])
        key = find_key(room, self._ids)
        check_may_talk(asked, self._settings, self._ready)
        if what == "slack":
            await self._say(asked, key, partial(read_slack, self._settings), read_body)
            return answers.plain("ok")
        line = await self._say(asked, key, read_post, read_body)
        place = {"Location": f"history?after={parse_line(line).seq - 1}&limit=1"}
        return answers.encoded(line, HTTPStatus.CREATED, place)

    async def _say(self, asked: Asked, key: RoomKey, read: Read, read_body: ReadBody) -> bytes:
        """The stored line. Raises `Refusal`; what is refused before the room starts none."""
        with noting_refusals():  # the room notes its own
            post = await read(asked, read_body)
            session = Session(self._callers.allowance(asked), self._settings)
            session.introduce(user_name(post.name, self._settings.max_name_chars), v2=False)
            check_message(post.say, self._settings.max_message_chars)
        return await visit(self._rooms, key, partial(_ask, Speak(session, post.say)))


async def _ask(speak: Speak, room: Room) -> bytes:
    return await room.ask(speak)
