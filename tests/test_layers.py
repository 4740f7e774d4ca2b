"""Imports point down, and only one module asks the operating system."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgechat

ROOT = Path(edgechat.__file__).parent
MOST_LINES = 200

# Each layer, and what it may import of the project beside itself. `history`, `net` and `http` do
# not know each other.
LAYERS: dict[str, set[str]] = {
    "system": set(),
    "settings": set(),
    "chat": {"settings"},
    "rooms": {"settings", "chat"},
    "history": {"settings", "system", "chat", "rooms"},
    "nodes": {"settings", "system", "chat", "rooms", "history"},
    "net": {"settings", "system", "chat", "rooms"},
    "http": {"settings", "system", "chat", "rooms"},
    "webhooks": {"settings", "system", "chat", "rooms", "__init__"},
    "statistics": {"chat", "rooms", "history", "nodes", "net", "webhooks"},
    "metrics": {"settings", "system", "chat", "rooms", "nodes", "net", "statistics", "__init__"},
    "http_start": {"settings", "system", "chat", "rooms", "net", "http"},
    "places": {"settings", "system", "chat", "history", "net", "storage_start"},
    "storage_start": {"settings", "chat", "rooms", "history", "nodes"},
    "server": {
        "http_start",
        "places",
        "storage_start",
        "settings",
        "system",
        "chat",
        "rooms",
        "history",
        "net",
        "http",
        "statistics",
        "metrics",
        "webhooks",
    },
    "workers": {
        "server",
        "storage_start",
        "places",
        "settings",
        "system",
        "chat",
        "rooms",
        "history",
        "net",
        "metrics",
        "webhooks",
        "logs",
        "garbage",
    },
    "logs": set(),
    "garbage": set(),
    "client": {"chat", "__init__"},
    "cli": {
        "settings",
        "chat",
        "client",
        "garbage",
        "history",
        "logs",
        "net",
        "nodes",
        "server",
        "system",
        "webhooks",
        "workers",
        "__init__",
    },
    "__main__": {"cli"},
    "__init__": set(),
}

SYSTEM = {"os", "time", "fcntl", "select", "secrets", "random", "resource", "threading", "datetime"}
WORLD = SYSTEM | {"trio", "io", "socket", "pathlib", "asyncio", "logging"}
# What a layer must never import, of all the rest.
FORBIDDEN = {
    "chat": WORLD,
    "rooms": SYSTEM | {"io", "socket", "pathlib", "asyncio"},
    "history": SYSTEM,
    "nodes": SYSTEM,
    "net": SYSTEM,
    "http": SYSTEM,
    "metrics": SYSTEM,
    "places": SYSTEM,
    "webhooks": SYSTEM - {"datetime"},  # it writes times, and is given them
    "server": SYSTEM,
    "workers": SYSTEM,
}
# Names of Trio's that `edgechat.system` stands for.
BEHIND_THE_DOOR = ("trio.to_thread", "trio.lowlevel.wait_readable", "trio.lowlevel.wait_writable")


def files(layer: str) -> list[Path]:
    folder = ROOT / layer
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{layer}.py"]


def imported(file: Path) -> Iterator[str]:
    """The full names of what a file imports, wherever in it."""
    package = ".".join(["edgechat", *file.relative_to(ROOT).parts[:-1]])
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def layer_of(name: str) -> str:
    """Which layer of ours a name belongs to; `__init__` for the package's own."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in LAYERS else "__init__"


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer: str) -> None:
    for file in files(layer):
        ours = {name for name in imported(file) if name.split(".")[0] == "edgechat"}
        wrong = {name for name in ours if layer_of(name) not in LAYERS[layer] | {layer}}
        assert not wrong, f"{file.name} imports {wrong}"


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_no_layer_goes_past_the_door(layer: str) -> None:
    for file in files(layer):
        names = set(imported(file))
        wrong = {name for name in names if name.split(".")[0] in FORBIDDEN[layer]}
        wrong |= {name for name in names if name.startswith(BEHIND_THE_DOOR)}
        assert not wrong, f"{file.name} imports {wrong}"


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_the_door_is_asked_by_its_name(layer: str) -> None:
    """`system.write`, not `from edgechat.system import write`: that could not be replaced."""
    for file in files(layer):
        assert not {name for name in imported(file) if name.startswith("edgechat.system.")}, file


def test_every_layer_is_looked_at() -> None:
    assert all(files(layer) for layer in LAYERS)
    here = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert here - {"__pycache__"} <= set(LAYERS)


def test_the_looking_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chat").mkdir()
    file = tmp_path / "chat" / "odd.py"
    file.write_text(
        "import trio.testing, edgechat.http.app\n"
        "from ..rooms import room\n"
        "from . import protocol\n"
        "def later():\n    from edgechat.net import request_head\n"
    )
    monkeypatch.setattr("tests.test_layers.ROOT", tmp_path)
    assert set(imported(file)) == {
        "trio.testing",
        "edgechat.http.app",
        "edgechat.rooms.room",
        "edgechat.chat.protocol",
        "edgechat.net.request_head",
    }


def test_no_module_is_long() -> None:
    """What grows beyond this has a second subject."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}
