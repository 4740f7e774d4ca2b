"""The HTTP side: the browser client's files, and the API (`docs/protocol.md`, HTTP)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import msgspec
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from edgechat import system
from edgechat.chat.errors import Refusal, StorageUnavailable
from edgechat.chat.line import Entry
from edgechat.chat.names import RANDOM_BYTES, BadRoomName, PrivateIds, RoomKey, room_key
from edgechat.http.assets import Asset, Assets
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_MAX_LINES = 1_000
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

Rooms = Registry[RoomKey, Room]
Answer = TypeVar("Answer")


class Wrong(Exception):
    """A request that can't be answered: a status, a code for programs, words for people."""

    def __init__(self, status: HTTPStatus, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


def make_app(
    settings: Settings, assets: Assets, rooms: Rooms, ids: PrivateIds, ready: Callable[[], bool]
) -> QuartTrio:
    """The Quart-Trio app. `ready` says whether the server accepts and stores."""
    app = QuartTrio("edgechat", static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would have to know the proxy's scheme and host
    app.config["MAX_CONTENT_LENGTH"] = settings.body_bytes
    app.config["BODY_TIMEOUT"] = settings.head_timeout
    app.config["RESPONSE_TIMEOUT"] = None
    _add_errors(app)
    _add_assets(app, assets)
    _add_health(app, ready)
    _add_rooms(app, rooms, ids)
    return app


def _add_errors(app: QuartTrio) -> None:
    @app.errorhandler(Wrong)
    async def wrong(error: Wrong) -> Response:
        return _error(error.status, error.code, error.text)

    @app.errorhandler(HTTPException)
    async def http(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or 500)
        return _error(status, status.name.lower(), error.description or status.phrase)

    @app.errorhandler(StorageUnavailable)
    async def storage(error: StorageUnavailable) -> Response:
        text = "The server can't read this room's history now. Try again later."
        return _error(HTTPStatus.SERVICE_UNAVAILABLE, "storage_unavailable", text)

    @app.errorhandler(Refusal)
    async def refusal(error: Refusal) -> Response:
        return _error(HTTPStatus.SERVICE_UNAVAILABLE, error.code, error.text)

    @app.errorhandler(Exception)
    async def defect(error: Exception) -> Response:
        # Quart would log the path, and with it a private room's id.
        log.error("A defect ended a request.", exc_info=error)
        text = "This is a defect in the server, which goes on. Try again."
        return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_server_error", text)


def _add_assets(app: QuartTrio, assets: Assets) -> None:
    @app.get("/")
    async def page() -> Response:
        return _asset(assets.front_page())

    @app.get("/room/<name>")
    async def room_page(name: str) -> Response:
        return _asset(assets.room_page())

    @app.get("/room/<name>/")
    async def room_page_but_for_its_end(name: str) -> Response:
        where = {"Location": f"../{quote(name, safe='')}"}  # a proxy may have put all under a path
        return Response("", HTTPStatus.PERMANENT_REDIRECT, {**_PRIVATE, **where})

    @app.get("/assets/<version>/<path:name>")
    async def asset(version: str, name: str) -> Response:
        return _asset(assets.asset(version, name))

    @app.get("/<name>")
    async def at_root(name: str) -> Response:
        return _asset(assets.at_root(name))


def _add_health(app: QuartTrio, ready: Callable[[], bool]) -> None:
    @app.get("/livez")
    async def livez() -> Response:
        return _text("alive")

    @app.get("/readyz")
    async def readyz() -> Response:
        if not ready():
            raise Wrong(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The server is stopping.")
        return _text("ready")


def _add_rooms(app: QuartTrio, rooms: Rooms, ids: PrivateIds) -> None:
    @app.post("/api/room")
    async def new_room() -> Response:
        return _text(
            ids.make(system.token_bytes(RANDOM_BYTES)), {"Access-Control-Allow-Origin": "*"}
        )

    @app.route("/api/room", methods=["OPTIONS"])
    async def new_room_options() -> Response:
        allow = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "POST"}
        return _text("", allow)

    @app.get("/api/room/<text>/websocket")
    async def websocket(text: str) -> Response:
        raise Wrong(HTTPStatus.BAD_REQUEST, "not_a_websocket", "expected websocket")

    @app.get("/api/room/<text>")
    async def room(text: str) -> Response:
        async def describe(room: Room) -> Response:
            state = await room.wait_opened()
            answer = {"room": room.key.name, **state.head._asdict(), "members": len(state.roster)}
            return Response(
                msgspec.json.encode(answer), mimetype="application/json", headers=_PRIVATE
            )

        return await _visit(rooms, _key(text, ids), describe)

    @app.get("/api/room/<text>/history")
    async def history(text: str) -> Response:
        return await _visit(rooms, _key(text, ids), _history)


async def _history(room: Room) -> Response:
    """A page of lines, byte for byte as they are in the file, and where to go on from.

    A page has an entry for each `seq` that it covers, also where nothing of it is shown.
    """
    state = await room.wait_opened()
    assert room.log is not None
    log, first, head = room.log, state.base.seq + 1, state.last.seq
    limit = _number("limit")
    most = min(max(100 if limit is None else limit, 1), _MAX_LINES)
    if (after := _number("after")) is not None:
        entries = await log.after(max(after, first - 1), most)
        place = _next(entries, entries and entries[-1].seq < head, -1)
    elif (middle := _number("around")) is not None:
        entries = await log.after(max(middle - 1 - most // 2, first - 1), most)
        more = entries and (entries[0].seq > first or entries[-1].seq < head)
        place = f"{entries[0].seq}-{entries[-1].seq}" if more else ""
    else:
        before = _number("before")
        entries = await log.before(head + 1 if before is None else min(before, head + 1), most)
        place = _next(entries, entries and entries[0].seq > first, 0)
    return _page(entries, place)


def _next(entries: Sequence[Entry], more: object, at: int) -> str:
    return str(entries[at].seq) if more else ""


def _page(entries: Sequence[Entry], place: str) -> Response:
    body = b"".join(entry.line + b"\n" for entry in entries if entry.line is not None)
    headers = {**_PRIVATE, "EdgeChat-More": "true" if place else "false"}
    if place:
        headers["EdgeChat-Next"] = place
    return Response(body, mimetype="application/x-ndjson", headers=headers)


async def _visit(rooms: Rooms, key: RoomKey, do: Callable[[Room], Awaitable[Answer]]) -> Answer:
    """Do something with a room, that must not end meanwhile."""
    try:
        room = rooms.get(key)
    except Full:
        raise Wrong(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Too many rooms are open. Try later."
        ) from None
    with room.visit():
        return await do(room)


def _key(text: str, ids: PrivateIds) -> RoomKey:
    try:
        return room_key(text, ids)
    except BadRoomName as error:
        raise Wrong(HTTPStatus.NOT_FOUND, "not_found", str(error)) from None


def _number(name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Wrong(HTTPStatus.BAD_REQUEST, "bad_request", f"{name} is a whole number.")
    return int(text)


def _asset(asset: Asset | None) -> Response:
    if asset is None:
        raise Wrong(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
    if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(asset.gzipped, headers={**asset.headers, "Content-Encoding": "gzip"})
    return Response(asset.body, headers=asset.headers)


def _text(text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text, mimetype="text/plain", headers={**_PRIVATE, **(headers or {})})


def _error(status: HTTPStatus, code: str, text: str) -> Response:
    return _json(status, {"error": text, "code": code})


def _json(status: HTTPStatus, answer: dict[str, object]) -> Response:
    body = msgspec.json.encode(answer)
    return Response(body, status=status, mimetype="application/json", headers=_PRIVATE)
