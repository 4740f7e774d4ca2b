"""The rules of the client that need no browser are tested by Node."""

import shutil
import subprocess
from pathlib import Path

from .language import need

HERE = Path(__file__).parent


def test_node() -> None:
    node = shutil.which("node")
    need("Node", node is not None)
    files = sorted(str(path) for path in HERE.glob("*.test.js"))
    run = subprocess.run([str(node), "--test", *files], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
