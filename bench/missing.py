"""What each server lacks on this machine, in words; nothing if it can be started."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from bench.paths import BUN, HERE, NGINX, NGINX_MODULES, PEERS_PYTHON, edgechat_program


def nothing() -> str:
    """It can be started anywhere."""
    return ""


def edgechat() -> str:
    """Whether there is an EdgeChat to measure."""
    program = edgechat_program()
    return "" if shutil.which(program) else f"{program} is not there"


def modules(names: str) -> Callable[[], str]:
    """A check that bench/.venv can import these modules."""

    def check() -> str:
        if not PEERS_PYTHON.exists():
            return "bench/.venv is not there (make bench sets it up)"
        found = subprocess.run([PEERS_PYTHON, "-c", f"import {names}"], capture_output=True)
        return "" if found.returncode == 0 else f"bench/.venv has no {names} that imports"

    return check


def node() -> str:
    """Whether Node and ws are there."""
    if not shutil.which("node"):
        return "no node on this machine"
    return "" if (HERE / "node_modules/ws").exists() else "bench/node_modules has no ws"


def bun() -> str:
    """Whether Bun was installed and runs here."""
    if not BUN.exists():
        return "bench/node_modules has no bun"
    found = subprocess.run([BUN, "--version"], capture_output=True)
    return "" if found.returncode == 0 else "bun does not run on this machine"


def nchan() -> str:
    """Whether nginx and the module are there."""
    if not shutil.which(NGINX):
        return "no nginx on this machine"
    module = NGINX_MODULES / "ngx_nchan_module.so"
    return "" if module.exists() else f"no {module} (Debian: libnginx-mod-nchan)"
