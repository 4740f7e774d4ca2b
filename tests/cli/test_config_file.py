"""What a file may say, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from edgechat.cli.config_file import ConfigFile
from edgechat.cli.serve import serve


def read(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "edgechat.toml"
    file.write_text(text)
    return ConfigFile(file).read(serve.params)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("port = 0\nmax-rooms = 5", {"port": 0, "max_rooms": 5}),
        ("message-interval = 2", {"message_interval": 2.0}),
        ("message-interval = 0.5", {"message_interval": 0.5}),
        ('data = "a b/ü"', {"data": "a b/ü"}),
        ('durability = "disk"', {"durability": "disk"}),
        ('host = "::1"', {"hosts": ["::1"]}),
        ('host = ["[::1]", "127.0.0.1"]', {"hosts": ["::1", "127.0.0.1"]}),
        ("trusted-proxy = []", {"trusted_proxies": []}),
        ('allow-origin = ["HTTPS://Example.org/"]', {"allowed_origins": ["https://example.org"]}),
        ('proxy-header = "forwarded"', {"proxy_header": "Forwarded"}),
        ('metrics-address = ""\nlog = "json"', {"metrics_address": "", "log": "json"}),
        ('"port" = 1  # quoted', {"port": 1}),
    ],
)
def test_what_a_file_says(tmp_path: Path, text: str, values: dict[str, Any]) -> None:
    found = {name: str(v) if isinstance(v, Path) else v for name, v in read(tmp_path, text).items()}
    assert found == values


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("max_rooms = 1", 1, "max_rooms is not a setting: did you mean max-rooms?"),
        ("\n\nPrt = 1", 3, "Prt is not a setting: did you mean port?"),
        ("colour = 1", 1, "colour is not a setting: `edgechat config` lists them."),
        ('config = "x"', 1, "config is not a setting: `edgechat config` lists them."),
        (
            "port = 1\n[server]\nport = 2",
            2,
            "server is not a setting: `edgechat config` lists them.",
        ),
        (
            "# port = 1\nport = 70000",
            2,
            "port: 70000 is not a whole number from 0 to 65,535 (port).",
        ),
        ('port = "1"', 1, "port: expected a whole number, got text in quotes."),
        ("port = 1.5", 1, "port: expected a whole number, got a number."),
        ("port = true", 1, "port: expected a whole number, got true or false."),
        ("heartbeat = nan", 1, "heartbeat: nan is not a number from 1 to 1,000,000 (seconds)."),
        ("host = 1", 1, "host: expected text in quotes or a list, got a whole number."),
        ("backlog = 1\nhost = [1]", 2, "host: expected text in quotes, got a whole number."),
        ('durability = "tape"', 1, "durability: 'tape' is not one of 'os', 'disk'."),
        ("workers = 0", 1, "workers: 0 is not a whole number from 1 to 64 (number|auto)."),
        ("[port]\nx = 1", 1, "port: expected a whole number, got a table."),
        ("port = 1\nport = 2", 2, "not TOML: Cannot overwrite a value."),
        ("a = 1\nb =", 2, "not TOML: Invalid value."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(click.UsageError) as wrong:
        read(tmp_path, text)
    assert wrong.value.message == f"{tmp_path / 'edgechat.toml'}, line {line}: {said}"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(click.UsageError, match="is not UTF-8"):
        ConfigFile(tmp_path / "x")
    with pytest.raises(click.UsageError, match="can't be read: Is a directory"):
        ConfigFile(tmp_path)
