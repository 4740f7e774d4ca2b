"""The Quart-Trio app: the browser client's files, the API, and whether the server is well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import quote

from quart import Response, request
from quart_trio import QuartTrio

from edgechat.chat.names import PrivateIds
from edgechat.http import answers
from edgechat.http.accept_encoding import accepts_gzip
from edgechat.http.answers import PRIVATE
from edgechat.http.api import Rooms, add_api
from edgechat.http.assets import Asset, Assets, OldVersion
from edgechat.http.callers import Callers
from edgechat.http.cors import add_cors
from edgechat.http.errors import NotFound, Wrong, add_errors
from edgechat.http.followers import OpenStream, add_events
from edgechat.http.history_pages import add_history
from edgechat.http.openapi import add_document
from edgechat.settings import Settings

_OLD = "This file is of another version of the page. EdgeChat was updated: reload the page."


def make_app(
    settings: Settings,
    assets: Assets,
    rooms: Rooms,
    ids: PrivateIds,
    ready: Callable[[], Awaitable[bool]],
    is_open: Callable[[], bool],
    callers: Callers,
    open_stream: OpenStream,
) -> QuartTrio:
    """The Quart-Trio app. `ready` says whether the server accepts and stores, `is_open`
    only whether it is not stopping.

    `open_stream` gives a connection's outbox. What is posted to rooms does not come here
    (`post_server`).
    """
    app = QuartTrio("edgechat", static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would have to know the proxy's scheme and host
    app.config["MAX_CONTENT_LENGTH"] = max(settings.body_bytes, settings.max_frame_bytes)
    app.config["BODY_TIMEOUT"] = settings.head_timeout
    app.config["RESPONSE_TIMEOUT"] = None
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # it would answer before a route of ours
    add_errors(app)
    _add_assets(app, assets)
    add_document(app)
    _add_health(app, ready)
    add_api(app, rooms, ids)
    add_history(app, settings, rooms, ids, callers)
    add_events(app, settings, rooms, ids, is_open, callers, open_stream)
    add_cors(app, settings.allowed_origins)
    return app


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
        return Response("", HTTPStatus.PERMANENT_REDIRECT, {**PRIVATE, **where})

    @app.get("/assets/<version>/<path:name>")
    async def asset(version: str, name: str) -> Response:
        try:
            return _asset(assets.asset(version, name))
        except OldVersion:
            raise NotFound(_OLD) from None

    @app.get("/<name>")
    async def at_root(name: str) -> Response:
        return _asset(assets.at_root(name))


def _asset(asset: Asset | None) -> Response:
    if asset is None:
        raise NotFound
    accepted = ",".join(request.headers.getlist("Accept-Encoding"))
    if asset.gzipped is not None and accepts_gzip(accepted):
        return Response(asset.gzipped, headers={**asset.headers, "Content-Encoding": "gzip"})
    return Response(asset.body, headers=asset.headers)


def _add_health(app: QuartTrio, ready: Callable[[], Awaitable[bool]]) -> None:
    @app.get("/livez")
    async def livez() -> Response:
        return answers.text("alive")

    @app.get("/readyz")
    async def readyz() -> Response:
        if not await ready():
            raise Wrong(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "The server is stopping, or can't store messages now.",
            )
        return answers.text("ready")
