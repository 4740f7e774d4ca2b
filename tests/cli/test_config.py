"""`edgechat config`: what holds, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgechat.cli.main import main
from edgechat.cli.options import OPTIONS


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


class Printed:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def by(self, *options: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["config", *options])
        captured = self._capsys.readouterr()
        assert (ended.value.code or 0) == (2 if captured.err else 0)
        return captured.out or captured.err

    def lines(self, *options: str) -> dict[str, tuple[str, str]]:
        """By the setting's name: the value and where it is from."""
        pairs = (line.split(" = ") for line in self.by(*options).splitlines())
        return {name: (rest.split("  # ")[0], rest.split("  # ")[1]) for name, rest in pairs}


def test_flags_before_variables_before_the_file(
    tmp_path: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "edgechat.toml"
    file.write_text('backlog = 1\nmax-rooms = 1\nport = 1\nhost = ["::1", "127.0.0.1"]\n')
    monkeypatch.setenv("EDGECHAT_MAX_ROOMS", "2")
    monkeypatch.setenv("EDGECHAT_BACKLOG", "2")
    found = printed.lines("--config", str(file), "--backlog", "3")
    assert found["backlog"] == ("3", "--backlog")
    assert found["max-rooms"] == ("2", "EDGECHAT_MAX_ROOMS")
    assert found["port"] == ("1", f"{file}, line 3")
    assert found["host"] == ('["::1", "127.0.0.1"]', f"{file}, line 4")
    assert found["heartbeat"] == ("20.0", "default")


def test_the_file_may_be_a_variable(
    tmp_path: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.toml").write_text("port = 1\n")
    monkeypatch.setenv("EDGECHAT_CONFIG", str(tmp_path / "x.toml"))
    assert printed.lines()["port"][0] == "1"


def test_what_it_prints_is_such_a_file(tmp_path: Path, printed: Printed) -> None:
    odd = str(tmp_path / 'a "quoted" \\ ü')
    before = printed.lines(
        "--data", odd, "--public-host", "chat.example.org", "--message-grace", "7"
    )
    file = tmp_path / "edgechat.toml"
    file.write_text("\n".join(f"{name} = {value}" for name, (value, _) in before.items()))
    after = printed.lines("--config", str(file))
    assert {name: value for name, (value, _) in after.items()} == {
        name: value for name, (value, _) in before.items()
    }
    assert all(source.startswith(str(file)) for _, source in after.values())


def test_every_setting_is_there(printed: Printed) -> None:
    options = {option.opts[0] for options in OPTIONS.values() for option in options}
    assert {f"--{name}" for name in printed.lines()} == options | {"--log"}


def test_json(printed: Printed) -> None:
    found = json.loads(printed.by("--json", "--port", "7"))
    assert found["port"] == {"value": 7, "from": "--port"}
    assert found["data"] == {"value": "data", "from": "default"}


def test_what_is_wrong_is_one_line(tmp_path: Path, printed: Printed) -> None:
    (tmp_path / "x.toml").write_text("prot = 1\n")
    said = printed.by("--config", str(tmp_path / "x.toml"))
    assert said == f"Error: {tmp_path}/x.toml, line 1: prot is not a setting: did you mean port?\n"
    assert "does not exist" in printed.by("--config", str(tmp_path / "y.toml"))
