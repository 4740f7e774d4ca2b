"""One line an event, whatever is in it."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgechat import logs
from edgechat.chat.names import RoomKey
from tests.serving.running import command, program

AT = 1_763_880_000.123
TIME = "2025-11-23T06:40:00.123Z"
ID = "0123456789abcdef" * 4


def record(text: str, *arguments: object, level: int = logging.WARNING, at: float = AT) -> Any:
    made = logging.LogRecord("edgechat.x", level, "x.py", 1, text, arguments, None)
    made.created = at
    return made


def with_traceback(text: str) -> Any:
    made = record("A defect ended %s.", "a room", level=logging.ERROR)
    try:
        raise ValueError(text)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def as_json(made: Any) -> dict[str, Any]:
    line = logs.JsonFormatter().format(made)
    assert "\n" not in line
    event = json.loads(line)
    assert isinstance(event, dict)
    return event


def as_text(made: Any) -> str:
    return logs.TextFormatter().format(made)


def test_an_event_in_both_forms() -> None:
    made = record("%d of the last lines in the history of %s.", 3, RoomKey("café", private=False))
    message = "3 of the last lines in the history of room 'café'."
    assert as_text(made) == f"{TIME} WARNING {message}"
    assert as_json(made) == {
        "time": TIME,
        "level": "warning",
        "logger": "edgechat.x",
        "message": message,
    }


def test_a_worker_says_which_it_is() -> None:
    made = record("hi", level=logging.INFO)
    assert logs.TextFormatter("worker 2").format(made) == f"{TIME} INFO [worker 2] hi"
    assert json.loads(logs.JsonFormatter("worker 2").format(made))["process"] == "worker 2"


@pytest.mark.parametrize(
    ("odd", "escaped"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\x1b[2Jb", "a\\r\\x1b[2Jb"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202eabc\u2028", "\\u202eabc\\u2028"),
        (os.fsdecode(b"a\xff"), "a\\udcff"),
        ("ünïcode 世界 😀", "ünïcode 世界 😀"),
    ],
)
def test_what_would_confuse_a_terminal_is_escaped(odd: str, escaped: str) -> None:
    assert as_text(record("%s", odd)) == f"{TIME} WARNING {escaped}"
    assert as_json(record("%s", odd))["message"] == escaped


@pytest.mark.parametrize("id", [ID, ID.upper()])
def test_a_private_id_is_nowhere(id: str) -> None:
    """Not even where a path or an exception has it."""
    made = with_traceback(f"data/rooms/private/{id}.jsonl")
    for text in (as_text(made), logs.JsonFormatter().format(made), as_text(record("in %s", id))):
        assert id not in text
        assert "<private id>" in text
    assert "0123456789abcdef" in as_text(record("%s", "0123456789abcdef"))  # a line's `h` is none


def test_a_traceback_is_one_field() -> None:
    event = as_json(with_traceback("it\x1b broke\nin two"))
    assert event["message"] == "A defect ended a room."
    assert event["level"] == "error"
    lines = event["traceback"].split("\n")
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == ["ValueError: it\\x1b broke", "in two"]


def test_a_traceback_is_indented_in_text() -> None:
    first, *rest = as_text(with_traceback("broke")).split("\n")
    assert first == f"{TIME} ERROR A defect ended a room."
    assert rest[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in rest)


def test_what_is_repeated_is_counted() -> None:
    """25 in the first minute: 10 are logged, and the next says that 15 were not."""
    repeats = logs.Repeats()
    shown = [repeats.filter(record("in %s", n, at=AT + n)) for n in range(25)]
    assert shown == [True] * 10 + [False] * 15
    assert repeats.filter(record("another", at=AT + 26))
    after = record("in %s", 26, at=AT + 60)
    assert repeats.filter(after)
    assert as_json(after)["suppressed"] == 15
    assert as_text(after) == "2025-11-23T06:41:00.123Z WARNING in 26 (and 15 more like it before)"
    later = record("in %s", 27, at=AT + 61)
    assert repeats.filter(later)
    assert "suppressed" not in as_json(later)


def test_a_clock_that_goes_back_silences_nothing() -> None:
    repeats = logs.Repeats()
    for n in range(20):
        repeats.filter(record("x", at=AT + n))
    assert repeats.filter(record("x", at=AT - 3_600))


def test_kinds_are_not_kept_without_end() -> None:
    repeats = logs.Repeats()
    for n in range(5_000):
        assert repeats.filter(record(f"{n}"))
    assert len(repeats._kinds) <= 1_001


@pytest.fixture
def untouched() -> Iterator[None]:
    """The logging of this process is as it was."""
    root, ours = logging.root, logging.getLogger("edgechat")
    before = root.handlers, root.level, ours.level, sys.excepthook
    yield
    root.handlers, root.level, ours.level, sys.excepthook = before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("form", "is_text"), [("auto", False), ("json", False), ("text", True)])
def test_a_stream_that_is_not_a_terminal(form: logs.Form, is_text: bool) -> None:
    stream = io.StringIO()
    logs.set_up(form, stream)
    logging.getLogger("edgechat.net").info("a")
    logging.getLogger("other").info("b")
    logging.getLogger("other").warning("c")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert all(line.startswith("{") is not is_text for line in lines)


def test_a_server_on_a_terminal_logs_text(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    whole = command(tmp_path, "--port", "0", "--metrics-address", "127.0.0.1:0")
    with subprocess.Popen(whole, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        text = b""
        while b"Started: version " not in text:
            text += os.read(ours, 4096)
        process.terminate()
    os.close(ours)
    assert b" INFO Started: version " in text
    assert b"{" not in text


async def test_a_server_logs_json_into_a_file(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        assert await server.stop() == 0
    lines = (tmp_path / "server.log").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["message"].split(" ")[0] for event in events] == [
        "Started:",
        "Stopping:",
        "Stopped.",
    ]
    assert {event["level"] for event in events} == {"info"}


def test_what_ends_the_process_is_an_event(tmp_path: Path) -> None:
    code = (
        "import sys, edgechat.server\n"
        "async def serve(*_, **__): raise ZeroDivisionError('broken')\n"
        "edgechat.server.serve = serve\n"
        "from edgechat.cli.main import main\n"
        f"main(['serve', '--port', '0', '--data', {str(tmp_path)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    event = json.loads(line)
    assert event["level"] == "critical"
    assert "ZeroDivisionError: broken" in event["traceback"]
