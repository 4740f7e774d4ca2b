"""Saying something by a request of its own, without being a member of the room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

from quart import Response
from quart_trio import QuartTrio

from edgechat.chat.commands import Speak
from edgechat.chat.line import parse_line
from edgechat.chat.message import check_message
from edgechat.chat.names import PrivateIds, RoomKey, user_name
from edgechat.chat.session import Session
from edgechat.http import answers
from edgechat.http.answers import JSON, PRIVATE
from edgechat.http.api import Rooms, check_may_talk, find_key, visit
from edgechat.http.callers import Callers
from edgechat.http.post_body import Post, read_post
from edgechat.http.slack import read_slack
from edgechat.rooms.refusals import noting_refusals
from edgechat.rooms.room import Room
from edgechat.settings import Settings


def add_posts(
    app: QuartTrio,
    settings: Settings,
    rooms: Rooms,
    ids: PrivateIds,
    ready: Callable[[], bool],
    callers: Callers,
) -> None:
    """Add the routes that say something."""

    @app.post("/api/room/<text>/messages")
    async def messages(text: str) -> Response:
        key = find_key(text, ids)
        check_may_talk(settings, ready)
        line = await say(key, read_post)
        place = f"history?after={parse_line(line).seq - 1}&limit=1"
        headers = {**PRIVATE, "Location": place}
        return Response(line, status=HTTPStatus.CREATED, mimetype=JSON, headers=headers)

    @app.post("/api/room/<text>/slack")
    async def slack(text: str) -> Response:
        key = find_key(text, ids)
        check_may_talk(settings, ready)
        await say(key, partial(read_slack, settings))
        return answers.text("ok")

    async def say(key: RoomKey, read: Callable[[], Awaitable[Post]]) -> bytes:
        """The stored line. Raises `Refusal`; what is refused before the room starts none."""
        with noting_refusals():  # the room notes its own
            post = await read()
            session = Session(callers.allowance(), settings)
            session.introduce(user_name(post.name, settings.max_name_chars), v2=False)
            check_message(post.say, settings.max_message_chars)
        return await visit(rooms, key, partial(_ask, Speak(session, post.say)))


async def _ask(speak: Speak, room: Room) -> bytes:
    return await room.ask(speak)
