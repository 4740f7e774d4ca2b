"""A disk that forgets: what programs see of its files, and what is left when the power goes.

It follows an ext4 with ordered data, at its least friendly. Of what was not synced, a power loss
leaves the first operations up to any place, the last one torn, perhaps with zeros behind it. A
failed `fsync` may or may not have written, and what it did not is never written later, although
the next `fsync` succeeds: as Linux does it. (Not under `os` durability, where that would be damage
in the middle, which other tests are about.) A file's name lasts once its *folder* was synced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Put:
    """Bytes were written at a place."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """Everything behind a place was cut off."""

    at: int


Operation = Put | Cut


@dataclass(eq=False, slots=True)
class Inode:
    """A file. `content` is what programs see, `image` what is on the disk for good."""

    number: int
    content: bytearray = field(default_factory=bytearray)
    image: bytearray = field(default_factory=bytearray)
    pending: list[Operation] = field(default_factory=list)

    def do(self, operation: Operation) -> None:
        _apply(self.content, operation)
        self.pending.append(operation)

    def sync(self) -> None:
        for operation in self.pending:
            _apply(self.image, operation)
        self.pending.clear()

    def fail_sync(self, random: Random, *, forgets: bool) -> None:
        """Some of it was written; the rest is forgotten, as if it had been, or written later."""
        done = random.randint(0, len(self.pending))
        for operation in self.pending[:done]:
            _apply(self.image, operation)
        later = self.pending[done:]
        self.pending = [one for one in later if isinstance(one, Cut)] if forgets else later

    def read_anew(self) -> None:
        """Let go of what is in memory only, unless it is still to be written; but not of its size.

        What was never written reads as zeros.
        """
        size, self.content = len(self.content), bytearray(self.image)
        for operation in self.pending:
            _apply(self.content, operation)
        self.content = self.content[:size].ljust(size, b"\0")

    def lose_power(self, random: Random) -> None:
        done = random.randint(0, len(self.pending))
        for operation in self.pending[:done]:
            _apply(self.image, operation)
        if done < len(self.pending):
            torn = self.pending[done]
            if isinstance(torn, Put):
                kept = random.randint(0, len(torn.data))
                zeros = random.choice((0, 0, 0, random.randint(1, 300)))
                _apply(self.image, Put(torn.at, torn.data[:kept] + bytes(zeros)))
        self.pending.clear()
        self.content = bytearray(self.image)


def _apply(target: bytearray, operation: Operation) -> None:
    if isinstance(operation, Cut):
        del target[operation.at :]
        return
    if len(target) < operation.at:
        target += bytes(operation.at - len(target))  # a hole reads as zeros
    target[operation.at : operation.at + len(operation.data)] = operation.data


class Disk:
    """All files, by path. One folder's names are synced together with all others'."""

    def __init__(self, random: Random, *, forgets: bool) -> None:
        """`forgets`: what a failed `fsync` did not write."""
        self.random = random
        self.forgets = forgets
        self.names: dict[str, Inode] = {}
        self.revenants: list[bytes] = []  # what was to be gone, and can't be sworn to be
        self._lasting: dict[str, Inode] = {}
        self._renamed: list[tuple[str, Inode | None]] = []
        self._made = 0
        self.changes = 0  # of names: the time that a folder bears

    def find(self, path: str) -> Inode | None:
        return self.names.get(path)

    def make(self, path: str) -> Inode:
        self._made += 1
        self.changes += 1
        inode = self.names[path] = Inode(self._made)
        self._renamed.append((path, inode))
        return inode

    def unlink(self, path: str) -> None:
        del self.names[path]
        self.changes += 1
        self._renamed.append((path, None))

    def rename(self, path: str, new: str) -> None:
        inode = self.names[new] = self.names.pop(path)
        self.changes += 1
        self._renamed += [(new, inode), (path, None)]

    def sync_names(self) -> None:
        for path, inode in self._renamed:
            _rename(self._lasting, path, inode)
        self._renamed.clear()

    def content(self, path: str) -> bytes:
        """What a program reads there."""
        inode = self.names.get(path)
        return bytes(inode.content) if inode else b""

    def image(self, path: str) -> bytes:
        """What is there for good, its name included."""
        inode = self._lasting.get(path)
        return bytes(inode.image) if inode else b""

    def images(self, folder: str) -> list[bytes]:
        """What is there for good in each file of a folder."""
        paths = [path for path in self._lasting if path.startswith(f"{folder}/")]
        return [self.image(path) for path in paths]

    def lose_power(self) -> None:
        """What comes back although it had been taken back counts as a revenant."""
        before = {path: bytes(inode.content) for path, inode in self.names.items()}
        kept = self.random.randint(0, len(self._renamed))
        for path, inode in self._renamed[:kept]:
            _rename(self._lasting, path, inode)
        self._renamed.clear()
        self.names = dict(self._lasting)
        for path, inode in sorted(self.names.items()):
            inode.lose_power(self.random)
            seen = set(before.get(path, b"").split(b"\n"))
            self.revenants += [
                line for line in bytes(inode.content).split(b"\n") if line not in seen
            ]


def _rename(names: dict[str, Inode], path: str, inode: Inode | None) -> None:
    if inode is None:
        names.pop(path, None)
    else:
        names[path] = inode
