"""The files that a script makes with dd(1) and opens: octets in memory, under names that mean nothing on this machine."""

from __future__ import annotations

import errno
import re

from stack.testing.drill.files import DEVICES, Device, OpenFile, error
from stack.testing.drill.shell import Simple
from stack.testing.drill.shell_tools import size
from stack.testing.drill.shell_words import ShellError

_MOST = 1 << 26  # octets of a file
_SIZE = re.compile(r"(\d+)([kKMG]?)B?")
_UNITS = {"": 1, "k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_CREATE, _TRUNCATE = 0o100, 0o1000

Disk = dict[str, bytearray]


class DiskFile(OpenFile):
    """An open file: its octets, and how far it was read or written."""

    def __init__(self, octets: bytearray, flags: int) -> None:
        super().__init__(flags & 3)
        self._octets = octets
        self._position = 0

    def read(self, size: int) -> bytes:
        data = self.read_at(self._position, size)
        self._position += len(data)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        """Octets from `offset` on, as sendfile(2) is given one; the position stays."""
        if self.flags & 3 == 1:
            raise error(errno.EBADF)
        return bytes(self._octets[offset : offset + size])

    def write(self, data: bytes) -> int:
        if not self.flags & 3:
            raise error(errno.EBADF)
        at = self._position
        if at + len(data) > _MOST:
            raise error(errno.ENOSPC)
        self._octets[at : at + len(data)] = data
        self._position += len(data)
        return len(data)


def open_file(disk: Disk, path: str, flags: int) -> OpenFile:
    """open(2) of a device, or of a file that the script made. Raises ENOENT."""
    if path in DEVICES:
        return Device(path, flags & 3)
    if path not in disk:
        if not flags & _CREATE:
            raise error(errno.ENOENT)
        disk[path] = bytearray()
    if flags & _TRUNCATE:
        disk[path].clear()
    return DiskFile(disk[path], flags)


def dd(disk: Disk, simple: Simple) -> None:
    """dd(1) from /dev/zero or another file of the script. Raises `ShellError`."""
    given = dict(word.partition("=")[::2] for word in simple.words[1:])
    origin, target = given.get("if", ""), given.get("of", "")
    size = _octets(given.get("bs", "512")) * _octets(given.get("count", "0"))
    if not target or not 0 <= size <= _MOST or (origin != "/dev/zero" and origin not in disk):
        raise ShellError(f"{simple} cannot be mapped")
    disk[target] = bytearray(size) if origin == "/dev/zero" else disk[origin][: size or None]


def _octets(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ShellError(f"dd: {text!r} is no size")
    return int(match[1]) * _UNITS[match[2]]


def remove(disk: Disk, simple: Simple) -> None:
    """rm(1)"""
    for word in simple.words[1:]:
        disk.pop(word, None)


def touch(disk: Disk, simple: Simple) -> None:
    """touch(1)"""
    for word in simple.words[1:]:
        disk.setdefault(word, bytearray())


def truncate(disk: Disk, simple: Simple) -> None:
    """truncate(1): -s octets"""
    words = list(simple.words[1:])
    if len(words) != 3 or words[0] != "-s":
        raise ShellError(f"{simple} cannot be mapped")
    octets = size(words[1])
    held = disk.setdefault(words[2], bytearray())
    held[:] = held[:octets].ljust(octets, b"\0")
