"""Errors as the API has them: `{"error","code"}`, in words of our own, with a fitting status."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from edgechat.chat.errors import REFUSALS, Refusal, StorageUnavailable
from edgechat.http import answers
from edgechat.rooms.defects import note_defect

# What the libraries refuse. Their words are for developers, and change with their versions.
_TEXTS = {
    HTTPStatus.BAD_REQUEST: "This request can't be understood.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.REQUEST_TIMEOUT: "The request's body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request's body is too large.",
}
# What newer Pythons name otherwise.
_CODES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_entity_too_large"}


class Wrong(Exception):
    """A request that can't be answered: a status, a code for programs, words for people."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        text: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.headers = headers


class NotFound(Wrong):
    """There is nothing there. Its code tells it from the 404 of a proxy in between."""

    def __init__(self, text: str = _TEXTS[HTTPStatus.NOT_FOUND]) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, "not_found", text)


def add_errors(app: QuartTrio) -> None:
    """Answer all that the app's handlers and its libraries raise."""

    @app.errorhandler(Wrong)
    async def wrong(error: Wrong) -> Response:
        return _error(error.status, error.code, error.text, error.headers)

    @app.errorhandler(MethodNotAllowed)
    async def method(error: MethodNotAllowed) -> Response:
        """OPTIONS comes here too: no route has it, and the answer is the same but for its body."""
        methods = sorted({"OPTIONS", *(error.valid_methods or ())})
        allow = {"Allow": ", ".join(methods)}
        if request.method == "OPTIONS":
            return answers.nothing(allow)
        status = HTTPStatus.METHOD_NOT_ALLOWED
        text = f"This address takes {allow['Allow']}, and not {request.method}."
        return answers.json({"error": text, "code": "method_not_allowed"}, status, allow)

    @app.errorhandler(HTTPException)
    async def http(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or 500)
        code = _CODES.get(status, status.name.lower())
        return _error(status, code, _TEXTS.get(status, f"{status.phrase}."))

    @app.errorhandler(StorageUnavailable)
    async def storage(error: StorageUnavailable) -> Response:
        text = "The server can't read this room's history now. Try again later."
        return _error(HTTPStatus.SERVICE_UNAVAILABLE, "storage_unavailable", text)

    @app.errorhandler(Refusal)
    async def refusal(error: Refusal) -> Response:
        headers = {}
        if error.retry_after_ms is not None:
            headers["Retry-After"] = str(-(-error.retry_after_ms // 1000))
        return _error(REFUSALS[error.code].status, error.code, error.text, headers)

    @app.errorhandler(Exception)
    async def defect(error: Exception) -> Response:
        note_defect("a request", error)  # Quart would log the path: a private room's id
        text = "This is a defect in the server, which goes on. Try again."
        return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_server_error", text)


def _error(
    status: HTTPStatus, code: str, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    return answers.json({"error": text, "code": code}, status, headers)
