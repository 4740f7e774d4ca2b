"""The peer on picows and uvloop."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from pathlib import Path

from picows_member import Member, serve
from room import Rooms, in_files

if __name__ == "__main__":
    serve(Rooms(in_files(Path(sys.argv[2]))), Member)
