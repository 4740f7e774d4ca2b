"""Imports point down: the rules know nothing of the tasks, and the tasks nothing of the edge."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgechat

ROOT = Path(edgechat.__file__).parent
OURS = {"settings", "core", "tasks", "edge", "client", "cli", "tools", "__main__", "__init__"}

# Each layer, what it may import of the project beside itself, and what it must never import.
LAYERS = {
    "settings": (set(), {"trio", "msgspec"}),
    "core": (
        {"settings"},
        {"trio", "time", "os", "io", "socket", "pathlib", "asyncio", "logging", "datetime"},
    ),
    "tasks": (
        {"settings", "core"},
        {"time", "os", "io", "socket", "pathlib", "asyncio", "datetime", "threading"},
    ),
    "edge": ({"settings", "core", "tasks", "__init__"}, set()),
    "client": ({"core", "__init__"}, set()),
}


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
    return parts[1] if len(parts) > 1 and parts[1] in OURS else "__init__"


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer: str) -> None:
    allowed, _ = LAYERS[layer]
    for file in files(layer):
        ours = {name for name in imported(file) if name.split(".")[0] == "edgechat"}
        wrong = {name for name in ours if layer_of(name) not in allowed | {layer}}
        assert not wrong, f"{file.name} imports {wrong}"


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_reaches_past_its_seams(layer: str) -> None:
    _, forbidden = LAYERS[layer]
    for file in files(layer):
        wrong = {name for name in imported(file) if name.split(".")[0] in forbidden}
        assert not wrong, f"{file.name} imports {wrong}"


def test_every_layer_is_looked_at() -> None:
    assert all(files(layer) for layer in LAYERS)
    here = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert here - {"__pycache__"} <= OURS


def test_the_looking_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "core").mkdir()
    file = tmp_path / "core" / "odd.py"
    file.write_text(
        "import trio.testing, edgechat.edge.http\n"
        "from ..tasks import room\n"
        "from . import wire\n"
        "def later():\n    from edgechat.edge import head\n"
    )
    monkeypatch.setattr("test_layers.ROOT", tmp_path)
    assert set(imported(file)) == {
        "trio.testing",
        "edgechat.edge.http",
        "edgechat.tasks.room",
        "edgechat.core.wire",
        "edgechat.edge.head",
    }
