"""The file under a capture writer: whole blocks only, so that whoever reads it meanwhile never sees half a packet."""

from __future__ import annotations

import gzip
import os
import tempfile
import weakref
from typing import BinaryIO

BUFFER = 256 * 1024  # octets kept before they go to the file: what a long run can hold in memory


class Output:
    """Blocks go in by `write`, and out to the file many at a time, never a part of one.

    `file` can be read at any time (`flush` first). A path that ends in `.gz` is compressed on the way; `file` is then
    an uncompressed copy, because a compressed file cannot be read from the middle.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._packed: gzip.GzipFile | None = None
        self._target: BinaryIO | None = None
        if path.endswith(".gz"):
            self._target = open(path, "wb")  # noqa: SIM115
            # No name and no time in the gzip header: the same capture gives the same file.
            self._packed = gzip.GzipFile(filename="", mode="wb", fileobj=self._target, mtime=0, compresslevel=6)
            self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
        else:
            self.file = open(path, "w+b")  # noqa: SIM115
        weakref.finalize(self, self.file.close)  # traces of it read on after `close`
        self.begun = False  # something is in the file
        self._pending: list[bytes] = []
        self._size = 0

    def write(self, block: bytes) -> None:
        """Take one whole block."""
        self._pending.append(block)
        self._size += len(block)
        if self._size >= BUFFER:
            self.flush()

    def flush(self) -> None:
        """Everything taken so far is in the file when this returns."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        self.file.seek(0, os.SEEK_END)  # a reader may have moved it
        self.file.write(data)
        self.file.flush()
        self.begun = True
        if self._packed is not None:
            self._packed.write(data)

    def close(self) -> None:
        """Finish the file. `file` stays readable until it is dropped or closed."""
        self.flush()
        if self._packed is not None and self._target is not None:
            self._packed.close()
            self._target.close()
            self._packed = self._target = None
