from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import trio
from click.shell_completion import BashComplete

from edgechat import __version__
from edgechat.cli.main import main
from edgechat.cli.options import OPTIONS
from edgechat.settings import Settings
from tests.serving.running import command, program
from tests.serving.wire import SOON

BIG = "x" * 1_900
NOT_A_MEMBER = b"GET /livez HTTP/1.1\r\nHost: "


def run(data: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """To its end; it can't serve."""
    environment = {**os.environ, **env}
    whole = command(data, *options)
    return subprocess.run(whole, capture_output=True, text=True, env=environment, timeout=SOON)


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "x"),
        ("--port", "65536"),
        ("--port", "-1"),
        ("--message-interval", "-1"),
        ("--message-grace", "nan"),
        ("--message-interval", "inf"),
        ("--max-message-chars", "0"),
        ("--backlog", "1001"),
        ("--room-idle", "soon"),
        ("--durability", "tape"),
        ("--trusted-proxy", "example.org"),
        ("--max-rooms", "0"),
        ("--heartbeat", "0"),
        ("--host", "*"),
        ("--allow-origin", "*"),
        ("--webhook", "https://example.org"),
        ("--uds", "x" * 108),
        ("--engine", "redis://127.0.0.1:1", "--durability", "disk"),
        ("--replicas", "1"),
        ("--nonsense",),
        ("extra",),
    ],
)
def test_bad_values_are_told_in_one_line(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run(tmp_path / "data", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "data").exists()


def test_a_bad_value_in_the_environment(tmp_path: Path) -> None:
    done = run(tmp_path / "data", EDGECHAT_PORT="many")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "many" in done.stderr
    assert done.stderr.endswith(" It comes from the variable EDGECHAT_PORT.\n")
    assert "variable" not in run(tmp_path / "data", "--port", "x").stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        done = run(tmp_path / "data", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Can't listen on 127.0.0.1 port {port}: address already in use.\n"


async def test_it_listens_on_each_of_its_hosts(tmp_path: Path) -> None:
    async with program(tmp_path, "--host", "127.0.0.1", "--host", "127.0.0.2") as server:
        other = await trio.open_tcp_stream("127.0.0.2", server.port)
        await other.aclose()
        assert (await server.get("/livez")).status == 200


async def test_one_of_its_hosts_is_not_here(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "--port", "0", "--host", "127.0.0.1", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert "192.0.2.1" in done.stderr


async def test_its_first_line_says_where_everything_is(tmp_path: Path) -> None:
    code = (
        "import os, signal, click; from edgechat.cli.main import main\n"
        "said = click.echo\n"
        "def printed(text):\n    said(text)\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "click.echo = printed\n"
        "main(['serve', '--port', '0', '--data', 'chat'])"
    )
    done = await trio.run_process(
        [sys.executable, "-c", code], cwd=tmp_path, capture_stdout=True, check=True
    )
    assert re.fullmatch(
        rf"EdgeChat is at http://127\.0\.0\.1:\d+/ with its histories in {tmp_path}/chat "
        r"\(stop it with Ctrl-C\)\n",
        done.stdout.decode(),
    )


def test_a_host_that_is_not_here(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "--port", "0", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert re.fullmatch(r"Can't listen on 192\.0\.2\.1 port 0: .*\.\n", done.stderr)


def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = run(tmp_path / "file" / "data", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"The data folder .* can't be used: Not a directory\.\n", done.stderr)


async def test_a_second_server_on_a_folder(tmp_path: Path) -> None:
    async with program(tmp_path) as first:
        done = await trio.to_thread.run_sync(run, tmp_path, "--port", "0")
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch("Another EdgeChat server uses the data folder .*\n", done.stderr)
        assert (await first.get("/livez")).status == 200


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out


def settings_of(monkeypatch: pytest.MonkeyPatch, *options: str) -> Settings:
    """What the command line makes of its options and variables."""
    seen: list[Settings] = []

    def run(settings: Settings, *rest: object) -> None:
        seen.append(settings)

    monkeypatch.setattr("edgechat.cli.serve._run_server", run)
    with pytest.raises(SystemExit):
        main(["serve", *options])
    return seen[0]


VARIABLES: list[tuple[str, str, Any]] = [
    ("PORT", "1234", 1234),
    ("DATA", "/somewhere", Path("/somewhere")),
    ("ENGINE", "rediss://me:secret@engine:7000/1", "rediss://me:secret@engine:7000/1"),
    ("REPLICAS", "2", 2),
    ("DURABILITY", "disk", "disk"),
    ("MESSAGE_INTERVAL", "0.5", 0.5),
    ("MESSAGE_GRACE", "3", 3.0),
    ("MAX_MESSAGE_CHARS", "99", 99),
    ("BACKLOG", "7", 7),
    ("ROOM_IDLE", "8", 8.0),
    ("LIMITER_IDLE", "9", 9.0),
    ("MAX_CONNECTIONS_PER_ADDRESS", "3", 3),
    ("MAX_OPENED_PER_MINUTE", "4", 4),
    ("MAX_FILES_PER_MINUTE", "6", 6),
    ("MAX_CONNECTIONS", "5", 5),
    ("MAX_ROOMS", "6", 6),
    ("HEARTBEAT", "7.5", 7.5),
    ("STOP_TIMEOUT", "2", 2.0),
    ("PROXY_HEADER", "forwarded", "Forwarded"),
    ("METRICS_ADDRESS", "[::1]:9100", "[::1]:9100"),
    ("UDS", "/run/edgechat.sock", "/run/edgechat.sock"),
    ("WEBHOOK_SECRET_FILE", "/etc/secret", "/etc/secret"),
    ("WORKERS", "3", 3),
]


@pytest.mark.parametrize(("name", "text", "value"), VARIABLES)
def test_each_option_is_a_variable_too(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    field = name.lower()
    if field == "replicas":
        monkeypatch.setenv("EDGECHAT_ENGINE", "redis://engine")
    assert getattr(settings_of(monkeypatch), field) == getattr(Settings(), field)
    assert getattr(settings_of(monkeypatch, f"--{field.replace('_', '-')}", text), field) == value
    monkeypatch.setenv(f"EDGECHAT_{name}", text)
    assert getattr(settings_of(monkeypatch), field) == value


LISTS = [
    ("--host", "hosts", ("127.0.0.1", "::1")),
    ("--public-host", "public_hosts", ("chat.example.org", "192.0.2.7")),
    ("--allow-origin", "allowed_origins", ("https://a.example", "http://b.example:8080")),
    ("--frame-ancestors", "frame_ancestors", ("https://a.example", "https://b.example")),
    ("--trusted-proxy", "trusted_proxies", ("10.0.0.0/8", "fd00::1")),
    ("--webhook", "webhooks", ("ops=https://a.example/x?y=1", "café=http://127.0.0.1:81/")),
]


@pytest.mark.parametrize(("option", "field", "values"), LISTS)
def test_options_that_may_be_repeated(
    monkeypatch: pytest.MonkeyPatch, option: str, field: str, values: tuple[str, str]
) -> None:
    assert getattr(settings_of(monkeypatch), field) == getattr(Settings(), field)
    given = settings_of(monkeypatch, option, values[0], option, values[1])
    assert getattr(given, field) == values
    monkeypatch.setenv(f"EDGECHAT_{option[2:].replace('-', '_').upper()}", " ".join(values))
    assert getattr(settings_of(monkeypatch), field) == values


def test_every_option_is_tried_here() -> None:
    tried = {name.lower() for name, _, _ in VARIABLES} | {field for _, field, _ in LISTS}
    assert {option.name for options in OPTIONS.values() for option in options} == tried
    assert tried <= {field.name for field in fields(Settings)}


def test_edgechat_alone_shows_its_help() -> None:
    done = subprocess.run([sys.executable, "-m", "edgechat"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: ")
    assert "edgechat serve" in done.stderr


def test_the_list_of_commands_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "..." not in capsys.readouterr().out.split("Commands:")[1]


@pytest.mark.parametrize("command", sorted({*main.commands} - {"verify", "replay"}))
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert f"Examples:\n\n    edgechat {command}" in shown
    assert command == "serve" or "Exit status: 0 " in shown


def test_commands_are_read_without_what_only_some_of_them_need() -> None:
    code = "import sys, edgechat.cli.main; print(*{'trio', 'tarfile', 'csv'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_the_shell_completes_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("lobby", "logs", "ops"):
        path = tmp_path / "rooms" / "public" / f"{room}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setenv("EDGECHAT_DATA", str(tmp_path))
    complete = BashComplete(main, {}, "edgechat", "_EDGECHAT_COMPLETE").get_completions
    for name in ("export", "verify", "rooms"):
        assert [item.value for item in complete([name], "lo")] == ["lobby", "logs"]
    assert [item.value for item in complete(["grep", "word"], "o")] == ["ops"]
    monkeypatch.delenv("EDGECHAT_DATA")
    data = ["--data", str(tmp_path)]
    assert [item.value for item in complete(["export", *data], "ops")] == ["ops"]
    assert "backup" in {item.value for item in complete([], "b")}


def test_help_says_what_every_option_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for title, options in OPTIONS.items():
        assert f"\n{title}:\n" in text
        for option in options:
            assert f"  {option.opts[0]} " in text
            assert option.help
            assert option.help.endswith(".")
    assert "\n    edgechat serve --trusted-proxy 127.0.0.1 " in text


def test_a_variable_that_is_not_a_setting(tmp_path: Path) -> None:
    done = run(tmp_path, "--port", "x", EDGECHAT_PROT="1", EDGECHAT_COLOUR="red", OTHER="1")
    assert done.stderr.splitlines()[:-1] == [
        "Warning: EDGECHAT_COLOUR is not a setting: `edgechat serve --help` lists them.",
        "Warning: EDGECHAT_PROT is not a setting: did you mean EDGECHAT_PORT?",
    ]


LINUX_ONLY = ["serve", "verify", "replay", "export", "grep", "backup", "rooms", "doctor"]


@pytest.mark.parametrize("command", LINUX_ONLY)
def test_another_system_than_linux(tmp_path: Path, command: str) -> None:
    """As far as it can be seen from here: what only Linux has can't be imported."""
    (tmp_path / "x.jsonl").touch()
    data = ["--data", str(tmp_path)]
    arguments = {"serve": [], "replay": ["x.jsonl"], "export": ["x", *data], "grep": ["x", *data]}
    arguments["backup"] = [str(tmp_path / "copy"), *data]
    code = (
        "import sys, select, socket\n"
        "import edgechat.client, trio\n"  # these work there as they do here
        "sys.platform = 'darwin'\n"
        "del select.epoll\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "from edgechat.cli.main import main\n"
        f"main({[command, *arguments.get(command, data)]!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"`edgechat {command}` needs Linux, and this is darwin. "
        "The Python client (edgechat.client) works here.\n"
    )
