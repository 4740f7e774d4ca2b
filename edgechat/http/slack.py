"""Messages in the form that monitors send to Slack ("incoming webhooks"), as one of ours.

A machine can't shorten or mend what it says, so what is too long is cut, and what can't be said is
left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from http import HTTPStatus

import msgspec

from edgechat.chat.errors import Refusal
from edgechat.chat.names import user_name
from edgechat.chat.protocol import bad_frame, checked_say
from edgechat.http.answers import JSON
from edgechat.http.asked import Asked
from edgechat.http.errors import Wrong
from edgechat.http.post_body import (
    FORM,
    Post,
    ReadBody,
    given_id,
    media_type,
    read_form,
    read_text,
)
from edgechat.settings import Settings

_NAME = "webhook"  # of a sender that gives none
_CUT = "…"


class Attachment(msgspec.Struct):
    """A part of a message; `fallback` is the whole of it in plain text."""

    fallback: str | None = None
    title: str | None = None
    text: str | None = None


class Payload(msgspec.Struct):
    """What is read of a message to Slack."""

    text: str | None = None
    username: str | None = None
    attachments: list[Attachment] | None = None


# `<https://a.example|words>`, `<https://a.example>`, `<!channel>`, `<@U024BE7LH>`.
_LINK = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


async def read_slack(settings: Settings, asked: Asked, read_body: ReadBody) -> Post:
    """What this request posts, ready to be said. Raises `Wrong`, and `Refusal` (`bad_frame`)."""
    kind = media_type(asked, JSON, FORM)
    body = read_text(await read_body())
    if kind == FORM:
        body = read_form(body).get("payload", "{}")
    payload = _parse(body)
    text = _shorten("\n".join(_texts(payload)).strip(), settings.max_message_chars)
    if not text:
        raise Wrong(HTTPStatus.BAD_REQUEST, "no_text", "There is no text in this message.")
    name = _name(payload.username or asked.query.text("name"), settings.max_name_chars)
    return Post(name, checked_say(text, given_id(asked)))


def _parse(body: str) -> Payload:
    try:
        payload = msgspec.json.decode(body, type=Payload)
        repr(payload).encode()  # lone surrogates
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise bad_frame(f"Not a message as Slack takes it: {str(error)[:200]}.") from None
    return payload


def _texts(payload: Payload) -> Iterator[str]:
    """The parts that say something. A fallback only repeats what an attachment says else."""
    if payload.text:
        yield _plain(payload.text)
    for part in payload.attachments or ():
        said = [one for one in (part.title, part.text) if one] or [part.fallback or ""]
        yield from (_plain(one) for one in said if one)


def _plain(text: str) -> str:
    """Without Slack's markup of links and without its escapes."""
    text = _LINK.sub(_link, text)
    for escaped, character in _ESCAPES:
        text = text.replace(escaped, character)
    return _sayable(text.replace("\r\n", "\n"), "\n\t")


def _link(found: re.Match[str]) -> str:
    target, words = found[1], found[2]
    if target.startswith("!"):  # <!channel>, <!subteam^ID|@group>
        return words or f"@{target[1:]}"
    if target.startswith(("@", "#")):
        return words or target
    return f"{words} ({target})" if words and words != target else target


def _sayable(text: str, kept: str) -> str:
    """With a blank in the place of each control character but those of `kept`."""
    return "".join(
        " " if unicodedata.category(one) == "Cc" and one not in kept else one for one in text
    )


def _name(text: str | None, most: int) -> str:
    """A name that is allowed, whatever was sent."""
    name = _shorten(_sayable(text or "", "").strip(), most) or _NAME
    try:
        return user_name(name, most)
    except Refusal:
        return _NAME


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + _CUT
