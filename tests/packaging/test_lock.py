"""What `make lock` wrote is what `pyproject.toml` asks for."""

from __future__ import annotations

import re

import pytest

from tests.packaging.test_dependencies import PROJECT, ROOT, declared

PIN = re.compile(r"^([\w.-]+)==(\S+)(.*(?:\n {4}--hash=sha256:[0-9a-f]{64}.*)+)", re.MULTILINE)


def pins(name: str) -> dict[tuple[str, str], str]:
    """Each package and version, and its hashes."""
    text = (ROOT / "requirements" / name).read_text()
    found = {(pin[1].replace("-", "_"), pin[2]): pin[3] for pin in PIN.finditer(text)}
    assert len(found) == len(re.findall(r"^\w", text, re.MULTILINE)), "a line has no hash"
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("run.txt", PROJECT["dependencies"]),
        ("develop.txt", PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_all_that_is_declared_is_locked(name: str, wanted: list[str]) -> None:
    assert declared(wanted) <= {package for package, _ in pins(name)}


def test_development_has_what_runs() -> None:
    run, develop = pins("run.txt"), pins("develop.txt")
    assert {pin: develop.get(pin) for pin in run} == run
