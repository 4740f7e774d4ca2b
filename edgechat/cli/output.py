"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

_BLOCK = 65_536
_STDOUT = 1

Write = Callable[[bytes], Any]


@contextmanager
def whole_file(output: str) -> Iterator[Write]:
    """Write to a file, which takes its place when the block ends without an error.

    `-` is standard output. What is there and is not a file (`/dev/null`, a pipe) is written to
    as it is. Raises `click.ClickException`.
    """
    path = Path(output)
    if output == "-":
        yield from _standard_output()
        return
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file.write
            return
        path = path.resolve()  # of a link, the file that it leads to is replaced
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            with new.open("xb") as file:
                yield file.write
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            with suppress(FileNotFoundError):
                new.unlink()
    except OSError as error:
        raise click.ClickException(f"{output} can't be written: {error.strerror}.") from None


def _standard_output() -> Iterator[Write]:
    out = Stdout()
    try:
        yield out.write
        out.flush()
    except BrokenPipeError:  # `edgechat export … | head`: nobody wants the rest
        raise
    except OSError as error:
        raise click.ClickException(f"Standard output can't be written: {error.strerror}.") from None


class Stdout:
    """Standard output for bytes. Python's own would try again, at the end, what failed."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        """Raises `OSError`."""
        self._buffer += data
        if len(self._buffer) >= _BLOCK:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Raises `OSError`."""
        rest, self._buffer = memoryview(bytes(self._buffer)), bytearray()
        while rest:
            rest = rest[os.write(_STDOUT, rest) :]
