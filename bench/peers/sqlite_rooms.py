"""The peer with a database: SQLite in WAL mode with synchronous=FULL, under picows on uvloop.

Messages that arrive in one turn of the event loop are stored in one transaction, which is on the
disk before anybody gets them.
"""
# mypy: disable-error-code="import-not-found,misc"

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

from picows_member import Member, serve, tell_all
from room import BACKLOG, Room, Rooms

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    room TEXT NOT NULL, seq INTEGER NOT NULL, line BLOB NOT NULL, PRIMARY KEY (room, seq)
) WITHOUT ROWID
"""
LAST = "SELECT seq, line FROM message WHERE room = ? ORDER BY seq DESC LIMIT ?"
INSERT = "INSERT INTO message (room, seq, line) VALUES (?, ?, ?)"


class Database:
    """All messages of all rooms. What is added is stored by the next `commit`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(SCHEMA)
        self._added: list[tuple[str, int, bytes]] = []

    def last(self, room: str) -> list[tuple[int, bytes]]:
        """The backlog of a room, newest first."""
        return self._connection.execute(LAST, (room, BACKLOG)).fetchall()

    def add(self, room: str, seq: int, line: bytes) -> None:
        """One more line."""
        self._added.append((room, seq, line))

    def commit(self) -> None:
        """One transaction, on the disk when this returns."""
        added, self._added = self._added, []
        self._connection.execute("BEGIN")
        self._connection.executemany(INSERT, added)
        self._connection.execute("COMMIT")


class TableHistory:
    """A room's rows."""

    def __init__(self, room: str) -> None:
        self._room = room

    def last(self) -> tuple[int, list[bytes]]:
        """How many lines there are, and the last 100 of them."""
        rows = database.last(self._room)
        return rows[0][0] if rows else 0, [line for _seq, line in reversed(rows)]

    def append(self, seq: int, line: bytes) -> None:
        """Into the turn's transaction."""
        database.add(self._room, seq, line)


class Turn:
    """The messages of this turn of the loop, stored and sent at its end."""

    def __init__(self) -> None:
        self._lines: list[tuple[Room[Member], bytes]] = []

    def add(self, room: Room[Member], line: bytes) -> None:
        """One more line, already in the transaction."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.end)
        self._lines.append((room, line))

    def end(self) -> None:
        """Commit, then send; nothing to do if somebody's join did it already."""
        lines, self._lines = self._lines, []
        if lines:
            database.commit()
        for room, line in lines:
            tell_all(room, line)


class TurnMember(Member):
    """A member whose messages wait for the end of the turn."""

    def join(self, name: str) -> None:
        """The backlog has only what is stored."""
        turn.end()
        super().join(name)

    def say(self, message: str) -> None:
        """Into the turn."""
        turn.add(self.room, self.room.say(self, message))


database = Database(Path(sys.argv[2]) / "rooms.sqlite")
turn = Turn()

if __name__ == "__main__":
    serve(Rooms(TableHistory), TurnMember)
