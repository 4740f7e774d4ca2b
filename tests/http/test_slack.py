"""Messages in Slack's form, as monitors send them: `POST /api/room/<r>/slack`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.serving.files import check
from tests.serving.running import Answer, Running, serving

from .test_app import error

TARGET = "/api/room/alerts/slack"
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"

# What each of them sends, without what is not read.
GRAFANA = {
    "channel": "#alerts",
    "username": "Grafana",
    "text": "",
    "attachments": [
        {
            "color": "#D63232",
            "title": "[FIRING:1] CPU (prod)",
            "title_link": "https://grafana.example/alerting",
            "text": "**Firing**\n\nValue: A=97\n",
            "fallback": "[FIRING:1] CPU (prod)",
            "ts": 1763880000,
        }
    ],
}
ALERTMANAGER = {
    "username": "Alertmanager",
    "attachments": [{"title": "[FIRING:1] Down", "fallback": "[FIRING:1] Down", "mrkdwn_in": []}],
}
UPTIME = {
    "text": "Your site <https://a.example|a.example> is &lt;down&gt; &amp; out",
    "icon_emoji": ":x:",
    "blocks": [{"type": "section"}],
}


async def post(server: Running, payload: Any, *headers: str, target: str = TARGET) -> Answer:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return await server.ask("POST", target, *(headers or (JSON,)), body=body)


@pytest.mark.parametrize(
    ("payload", "stored"),
    [
        ({"text": "hi"}, "webhook: hi"),
        ({"text": "hi", "username": "ci", "attachments": None}, "ci: hi"),
        (GRAFANA, "Grafana: [FIRING:1] CPU (prod)\n**Firing**\n\nValue: A=97"),
        (ALERTMANAGER, "Alertmanager: [FIRING:1] Down"),
        (UPTIME, "webhook: Your site a.example (https://a.example) is <down> & out"),
        (
            {"text": "<!channel> <https://a.example> <@U1>"},
            "webhook: @channel https://a.example @U1",
        ),
        ({"attachments": [{"fallback": "a"}, {"text": "b"}, {}]}, "webhook: a\nb"),
        ({"text": "a\r\nb\x07c\td", "username": "a\x07b"}, "a b: a\nb c\td"),
        ({"text": "x" * 2_001, "username": "n" * 33}, "n" * 31 + "…: " + "x" * 1_999 + "…"),
        ({"text": "x" * 2_000, "username": "n" * 32}, "n" * 32 + ": " + "x" * 2_000),
        ({"text": "&amp;lt;"}, "webhook: &lt;"),
        ({"text": "hi", "username": "\u202e"}, "webhook: hi"),
    ],
)
async def test_what_becomes_of_it(server: Running, payload: Any, stored: str) -> None:
    answer = await post(server, payload)
    assert (answer.status, answer.body) == (200, b"ok")
    (line,) = check(server.stored("alerts"))
    assert f"{line['name']}: {line['message']}" == stored


async def test_a_form(server: Running) -> None:
    body = urlencode({"payload": json.dumps({"text": "café"})}).encode()
    assert (await post(server, body, FORM, target=f"{TARGET}?name=ci")).body == b"ok"
    (line,) = check(server.stored("alerts"))
    assert (line["name"], line["message"]) == ("ci", "café")


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (JSON, b"{}", 400, "no_text"),
        (JSON, b'{"text":" ","attachments":[{"title":""}]}', 400, "no_text"),
        (FORM, b"text=hi", 400, "no_text"),
        (FORM, b"payload=hi", 400, "bad_frame"),
        (FORM, b"payload=%7B%7D&payload=%7B%22text%22%3A%22hi%22%7D", 400, "bad_request"),
        (JSON, b"[]", 400, "bad_frame"),
        (JSON, b'{"text":["hi"]}', 400, "bad_frame"),
        (JSON, b'{"text":"\\ud800"}', 400, "bad_frame"),
        (JSON, b'{"attachments":[1]}', 400, "bad_frame"),
        (JSON, b"[" * 9_999, 400, "bad_frame"),
        (JSON, b'{"text":"\xff"}', 400, "bad_request"),
        ("Content-Type: text/plain", b"hi", 415, "unsupported_media_type"),
        (JSON, b"x" * 70_000, 413, "request_entity_too_large"),
    ],
)
async def test_what_is_refused(
    server: Running, headers: str, body: bytes, status: int, code: str
) -> None:
    answer = await post(server, body, headers)
    assert (answer.status, error(answer.body)) == (status, code)
    assert server.files() == set()


async def test_a_room_that_can_not_be_and_a_method(server: Running) -> None:
    assert (await post(server, {"text": "hi"}, target="/api/room/a..b/slack")).status == 404
    assert (await server.get(f"{TARGET}?text=hi")).status == 405


async def test_a_sender_may_repeat_itself_and_has_to_wait(tmp_path: Path) -> None:
    async with serving(tmp_path, message_interval=60.0, message_grace=0.0) as server:
        for _ in range(2):
            assert (await post(server, {"text": "a"}, JSON, "Idempotency-Key: k")).status == 200
        refused = await post(server, {"text": "b"})
        assert (refused.status, error(refused.body)) == (429, "rate_limited")
        assert "retry-after" in refused.headers
        assert len(server.lines("alerts")) == 1
