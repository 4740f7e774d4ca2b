"""Sets up what the peers need: bench/.venv and bench/node_modules. What can't be had is left out.

`python -m bench.environment`; does nothing if it is all there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from hashlib import sha256

from bench.paths import HERE, PEERS_PYTHON

REQUIREMENTS = HERE / "requirements.txt"
WANTED = (REQUIREMENTS, HERE / "package.json", HERE / "package-lock.json")
STAMP = HERE / ".venv/ready"


def wanted() -> str:
    """A fingerprint of what is asked for."""
    return sha256(b"".join(file.read_bytes() for file in WANTED)).hexdigest()


def tried(*command: str) -> bool:
    """Run a command quietly; its errors are shown."""
    return subprocess.run(command, cwd=HERE, stdout=subprocess.DEVNULL).returncode == 0


def install_python() -> None:
    """Each requirement by itself, so that one without a wheel here costs only its own peer."""
    venv.create(HERE / ".venv", clear=True, symlinks=True, with_pip=True)
    lines = REQUIREMENTS.read_text().splitlines()
    pip = (str(PEERS_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    for requirement in (line for line in lines if line and not line.startswith("#")):
        if not tried(*pip, requirement):
            print(f"left out: {requirement} can't be installed here")


def install_node() -> None:
    """What the peers on Node and Bun need. Bun is optional there: without it ws is installed."""
    if not shutil.which("npm"):
        print("left out: Node's ws and Bun (no npm on this machine)")
    elif not tried("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"):
        print("left out: Node's ws and Bun (npm could not install them)")


def main() -> int:
    """Set up, once."""
    if STAMP.exists() and STAMP.read_text() == wanted():
        return 0
    print("Setting up the peers in bench/.venv and bench/node_modules \u2026")
    install_python()
    install_node()
    STAMP.write_text(wanted())
    return 0


if __name__ == "__main__":
    sys.exit(main())
