"""The bodies of what is posted: a text, a form or JSON becomes a name and a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl

from werkzeug.http import parse_options_header

from edgechat.chat.protocol import Say, bad_frame, checked_say, parse_post
from edgechat.http.answers import JSON
from edgechat.http.asked import Asked
from edgechat.http.errors import Wrong
from edgechat.http.query import bad_request

TEXT, FORM = "text/plain", "application/x-www-form-urlencoded"
_FIELDS = ("name", "message", "id", "payload")
_MAX_FIELDS = 100

ReadBody = Callable[[], Awaitable[bytes]]  # raises `Wrong`; only who needs the body reads it


class Post(NamedTuple):
    """A message that comes alone, and its sender's name, unchecked."""

    name: str | None
    say: Say


async def read_post(asked: Asked, read_body: ReadBody) -> Post:
    """What this request posts. Raises `Wrong`, and `Refusal` (`bad_frame`)."""
    kind = media_type(asked, TEXT, FORM, JSON)
    body = read_text(await read_body())
    if kind == JSON:
        name, say = parse_post(body)
        return _addressed(asked, name, say.text, say.id)
    fields = read_form(body) if kind == FORM else {}
    if "message" not in fields:  # `curl -d` calls any text a form
        return _addressed(asked, None, _whole(body), None)
    name, id = fields.get("name") or None, fields.get("id") or None
    return _addressed(asked, name, _unix(fields["message"]), id)


def media_type(asked: Asked, *known: str) -> str:
    """The body's type, the first of `known` if it has none. Raises `Wrong` (415)."""
    types = asked.values("Content-Type")
    kind, options = parse_options_header(types[0] if types else None)
    kind = kind.lower() or known[0]
    charset = options.get("charset", "utf-8").lower()
    coding = ", ".join(asked.values("Content-Encoding")).lower() or "identity"
    is_known = kind in known and len(types) < 2
    if not is_known or charset not in ("utf-8", "utf8", "us-ascii") or coding != "identity":
        text = f"The body has to be {' or '.join(known)}, in UTF-8 and not compressed."
        raise Wrong(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", text)
    return kind


def read_text(body: bytes) -> str:
    """The body's text. Raises `Wrong` where it is not UTF-8."""
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


def given_id(asked: Asked) -> str | None:
    """The idempotency key of the headers, without the quotes that a draft of the IETF wants."""
    keys = asked.values("Idempotency-Key")
    if len(keys) > 1:
        raise bad_request("Idempotency-Key must be given once only.")
    if not keys:
        return None
    key = keys[0]
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


def _addressed(asked: Asked, name: str | None, text: str, id: str | None) -> Post:
    """With what the body does not say and the address or the headers do."""
    ids = {one for one in (id, asked.query.text("id"), given_id(asked)) if one is not None}
    if len(ids) > 1:
        raise bad_frame("Two different ids were given.")
    return Post(name or asked.query.text("name"), checked_say(text, ids.pop() if ids else None))


def _whole(body: str) -> str:
    """A text without the newline that ends a file."""
    return _unix(body).removesuffix("\n")


def _unix(text: str) -> str:
    """Forms and Windows end lines with two characters, the first of which can't be said."""
    return text.replace("\r\n", "\n")
