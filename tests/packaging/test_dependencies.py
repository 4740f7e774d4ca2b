"""All that is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported(folder: Path) -> Iterator[str]:
    """The first part of the names of what its modules import, wherever in them."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.split(".")[0]


def declared(requirements: list[str]) -> set[str]:
    """The names of requirements, as modules are called."""
    names = (re.match(r"[\w-]+", requirement) for requirement in requirements)
    return {name[0].replace("-", "_").lower() for name in names if name}


def test_what_is_imported_is_declared() -> None:
    foreign = set(imported(ROOT / "edgechat")) - sys.stdlib_module_names - {"edgechat"}
    extra = declared(PROJECT["optional-dependencies"]["nodes"])
    assert foreign == declared(PROJECT["dependencies"]) | extra


def test_what_tests_import_is_declared() -> None:
    foreign = set(imported(ROOT / "tests")) - sys.stdlib_module_names - {"edgechat"}
    optional = declared(PROJECT["optional-dependencies"]["dev"])
    ours = {"tests", "bench"}
    assert foreign - ours <= declared(PROJECT["dependencies"]) | optional


def test_every_requirement_has_a_lower_bound() -> None:
    assert all(
        re.search(r"(>=|~=)\d", each)
        for each in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["nodes"]]
    )
