"""Where the benchmark and what it starts are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS_PYTHON = HERE / ".venv/bin/python"
BUN = HERE / "node_modules/.bin/bun"
NGINX = "/usr/sbin/nginx"
NGINX_MODULES = Path("/usr/lib/nginx/modules")


def edgechat_program() -> str:
    """The program under test: $EDGECHAT_PROGRAM, or the one of the main environment."""
    return os.environ.get("EDGECHAT_PROGRAM", str(ROOT / ".venv/bin/edgechat"))


def edgechat_python() -> str:
    """The interpreter for versions of EdgeChat: $EDGECHAT_PYTHON, or the main environment's."""
    main = ROOT / ".venv/bin/python"
    return os.environ.get("EDGECHAT_PYTHON", str(main) if main.exists() else sys.executable)
