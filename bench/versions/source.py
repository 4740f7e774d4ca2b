"""A version of EdgeChat: a folder, or a git revision that is unpacked into one."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.commands import serve
from bench.paths import ROOT, edgechat_python


class NoSuchVersion(Exception):
    """Neither a folder with an `edgechat` package nor a git revision that has one."""


@dataclass(frozen=True)
class Version:
    """Source code that can be run."""

    title: str
    tree: Path
    bytecode: Path  # a folder of ours: nothing is written into the tree

    def command(self, *arguments: str) -> list[str]:
        """`python -m edgechat …` from this tree, whatever is installed."""
        settings = (f"PYTHONPATH={self.tree}", f"PYTHONPYCACHEPREFIX={self.bytecode}")
        program = (edgechat_python(), "-m", "edgechat")
        return ["env", "-C", str(self.tree), *settings, *program, *arguments]

    def serve(self, port: int, data: Path, *more: str) -> list[str]:
        """A server of this version."""
        return self.command(*serve(port, data, *more))

    def check(self) -> None:
        """Raise NoSuchVersion unless its command line starts."""
        done = subprocess.run(self.command("--version"), capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise NoSuchVersion(f"{self.title} does not start:\n{done.stderr.strip()[-1000:]}")


@contextlib.contextmanager
def checked_out(name: str) -> Iterator[Version]:
    """A folder as it is (`.` is this working tree), or a revision in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="edgechat-version-") as folder:
        bytecode = Path(folder) / "bytecode"
        path = ROOT if name == "." else Path(name).resolve()
        if (path / "edgechat").is_dir():
            version = Version(f"{name} ({described(path)})", path, bytecode)
        else:
            tree = Path(folder) / "tree"
            version = Version(f"{name} ({unpack(name, tree)})", tree, bytecode)
        version.check()
        yield version


def described(path: Path) -> str:
    """The commit of a working tree, and whether it was changed since."""
    done = git("describe", "--always", "--dirty", "--exclude=*", folder=path)
    return done.stdout.decode().strip() or "not in git"


def unpack(revision: str, tree: Path) -> str:
    """The files of a git revision into a new folder. Returns the short name of its commit."""
    found = git("rev-parse", "--verify", "--short", f"{revision}^{{commit}}")
    if found.returncode:
        raise NoSuchVersion(f"{revision} is neither a folder with edgechat/ nor a git revision")
    tree.mkdir()
    archive = git("archive", revision)
    subprocess.run(("tar", "-x", "-C", str(tree)), input=archive.stdout, check=True)
    return found.stdout.decode().strip()


def git(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    """Run git; its exit status says whether it could."""
    return subprocess.run(("git", *arguments), cwd=folder, capture_output=True)
