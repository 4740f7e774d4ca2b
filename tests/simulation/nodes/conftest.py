"""Without hiredis, which parses what an engine says, there are no nodes: nothing is collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("hiredis") else ["test_*.py"]
