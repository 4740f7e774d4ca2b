"""No name of the client's means another thing on the server."""

from __future__ import annotations

import ast
from pathlib import Path

import edgechat
from edgechat import client

ROOT = Path(edgechat.__file__).parent
CLIENT = sorted((ROOT / "client").glob("*.py"))
SERVER = [file for file in ROOT.rglob("*.py") if file not in CLIENT]


def classes(files: list[Path]) -> set[str]:
    bodies = (ast.parse(file.read_text()).body for file in files)
    return {node.name for body in bodies for node in body if isinstance(node, ast.ClassDef)}


def test_classes_but_for_the_public_words() -> None:
    assert classes(CLIENT) & classes(SERVER) <= set(client.__all__)


def test_modules() -> None:
    both = {file.stem for file in CLIENT} & {file.stem for file in SERVER}
    assert both == {"__init__"}


def test_what_is_public_is_there() -> None:
    assert all(hasattr(client, name) for name in client.__all__)


def test_files_stay_small() -> None:
    assert {file.name for file in CLIENT if len(file.read_text().splitlines()) > 200} == set()
