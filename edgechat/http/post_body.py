"""The bodies of what is posted: a text, a form or JSON becomes a name and a message."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl

from quart import request

from edgechat.chat.protocol import Say, bad_frame, checked_say, parse_post
from edgechat.http import query
from edgechat.http.answers import JSON
from edgechat.http.errors import Wrong
from edgechat.http.query import bad_request

TEXT, FORM = "text/plain", "application/x-www-form-urlencoded"
_FIELDS = ("name", "message", "id")
_MAX_FIELDS = 100


class Post(NamedTuple):
    """A message that comes alone, and its sender's name, unchecked."""

    name: str | None
    say: Say


async def read_post() -> Post:
    """What this request posts. Raises `Wrong`, and `Refusal` (`bad_frame`)."""
    kind = media_type(TEXT, FORM, JSON)
    body = await read_text()
    if kind == JSON:
        name, say = parse_post(body)
        return _addressed(name, say.text, say.id)
    fields = read_form(body) if kind == FORM else {}
    if "message" not in fields:  # `curl -d` calls any text a form
        return _addressed(None, _whole(body), None)
    return _addressed(
        fields.get("name") or None, _unix(fields["message"]), fields.get("id") or None
    )


def media_type(*known: str) -> str:
    """The body's type, the first of `known` if it has none. Raises `Wrong` (415)."""
    kind = request.mimetype or known[0]
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if kind not in known or charset not in ("utf-8", "utf8", "us-ascii") or coding != "identity":
        text = f"The body has to be {' or '.join(known)}, in UTF-8 and not compressed."
        raise Wrong(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", text)
    return kind


async def read_text() -> str:
    """The body. Raises `Wrong` where it is not UTF-8."""
    body = await request.get_data(cache=False)
    assert isinstance(body, bytes)
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise bad_request("The body is not UTF-8.") from None


def read_form(body: str) -> dict[str, str]:
    """The fields of an encoded form. Raises `Wrong`."""
    try:
        pairs = parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except UnicodeDecodeError:
        raise bad_request("The form is not UTF-8.") from None
    except ValueError:
        raise bad_request("The form has too many fields.") from None
    fields = dict(pairs)
    for name in _FIELDS:
        if sum(key == name for key, _ in pairs) > 1:
            raise bad_request(f"{name} must be given once only.")
    return fields


def given_id() -> str | None:
    """The idempotency key of the headers, without the quotes that a draft of the IETF wants."""
    keys = request.headers.getlist("Idempotency-Key")
    if len(keys) > 1:
        raise bad_request("Idempotency-Key must be given once only.")
    if not keys:
        return None
    key: str = keys[0]
    return key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key


def _addressed(name: str | None, text: str, id: str | None) -> Post:
    """With what the body does not say and the address or the headers do."""
    ids = {one for one in (id, query.text("id"), given_id()) if one is not None}
    if len(ids) > 1:
        raise bad_frame("Two different ids were given.")
    return Post(name or query.text("name"), checked_say(text, ids.pop() if ids else None))


def _whole(body: str) -> str:
    """A text without the newline that ends a file."""
    return _unix(body).removesuffix("\n")


def _unix(text: str) -> str:
    """Forms and Windows end lines with two characters, the first of which can't be said."""
    return text.replace("\r\n", "\n")
