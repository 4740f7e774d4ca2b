"""Errors as the API has them: `{"error","code"}`, in words of our own, with a fitting status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

import msgspec
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from edgechat.chat.errors import REFUSALS, Refusal, StorageUnavailable
from edgechat.http import answers
from edgechat.http.answers import Answer
from edgechat.http.request_end import DEFECT
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

    @app.errorhandler(MethodNotAllowed)
    async def method(error: MethodNotAllowed) -> Response:
        return answers.of_quart(not_allowed(request.method, error.valid_methods or ()))

    @app.errorhandler(HTTPException)
    async def http(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or 500)
        code = _CODES.get(status, status.name.lower())
        return answers.of_quart(_error(status, code, _TEXTS.get(status, f"{status.phrase}.")))

    @app.errorhandler(Exception)
    async def other(error: Exception) -> Response:
        return answers.of_quart(answer_to(error))


def answer_to(error: Exception) -> Answer:
    """What is answered where this was raised. What nobody meant to raise is noted as a defect."""
    match error:
        case Wrong():
            return _error(error.status, error.code, error.text, error.headers)
        case Refusal():
            headers = {}
            if error.retry_after_ms is not None:
                headers["Retry-After"] = str(-(-error.retry_after_ms // 1000))
            return _error(REFUSALS[error.code].status, error.code, error.text, headers)
        case StorageUnavailable():
            text = "The server can't read this room's history now. Try again later."
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "storage_unavailable", text)
    note_defect("a request", error)  # Quart would log the path: a private room's id
    return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_server_error", DEFECT)


def not_allowed(method: str, valid: Iterable[str]) -> Answer:
    """The answer to a method that an address does not take.

    OPTIONS comes here too: no route has it, and the answer is the same but for its body.
    """
    allow = {"Allow": ", ".join(sorted({"OPTIONS", *valid}))}
    if method == "OPTIONS":
        return answers.empty(allow)
    text = f"This address takes {allow['Allow']}, and not {method}."
    return _error(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", text, allow)


def too_large(text: str = _TEXTS[HTTPStatus.REQUEST_ENTITY_TOO_LARGE]) -> Wrong:
    """A body that no message needs."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Wrong(status, _CODES[status], text)


def too_slow() -> Wrong:
    """A body that did not come in time."""
    status = HTTPStatus.REQUEST_TIMEOUT
    return Wrong(status, status.name.lower(), _TEXTS[status])


def _error(
    status: HTTPStatus, code: str, text: str, headers: Mapping[str, str] | None = None
) -> Answer:
    return answers.encoded(
        msgspec.json.encode({"error": text, "code": code}), status, headers or {}
    )
