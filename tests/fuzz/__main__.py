"""`python -m tests.fuzz TARGET [SECONDS]`: look for input that does harm, guided by coverage.

It needs atheris (`pip install atheris`), which is on no list of requirements: it has no build for
each Python. What it finds is left in the current folder, and goes into `seeds.py`.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

from .seeds import SEEDS


def main() -> int:
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    try:
        atheris = import_module("atheris")  # by name: type checkers need not know it
    except ImportError:
        print("fuzz: skipped, atheris is not installed here")
        return 0
    with atheris.instrument_imports(include=["edgechat", "tests.fuzz"]):
        from .targets import TARGETS
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", str(corpus)], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
