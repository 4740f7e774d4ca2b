"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

Write = Callable[[bytes], Any]


@contextmanager
def whole_file(output: str) -> Iterator[Write]:
    """Write to a file, which takes its place when the block ends without an error.

    `-` is standard output. What is there and is not a file (`/dev/null`, a pipe) is written to
    as it is. Raises `click.ClickException`.
    """
    path = Path(output)
    if output == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
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
