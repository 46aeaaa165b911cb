"""Opening a capture file of any kind, and its index: one offset of eight octets per packet, memory for nothing more."""

from __future__ import annotations

import tempfile
import weakref
import zlib
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from stack.capture.error import CaptureError
from stack.capture.frame import Frame, Interface

if TYPE_CHECKING:
    from stack.capture.output import Output
    from stack.capture.pcap_reader import PcapFile
    from stack.capture.pcapng_reader import PcapngFile

GZIP = b"\x1f\x8b"
_CHUNK = 1 << 18
_SPOOL = 1 << 24  # octets of an uncompressed file that stay in memory


class CaptureFile:
    """The packets of a capture file, in order. A file that is still being written grows as one looks.

    `damage` says where and why reading ended early, or is None.
    """

    def __init__(self, path: str, output: Output | None = None) -> None:
        self.path = path
        self.damage: CaptureError | None = None
        self._output = output
        if output is None:
            self._file = self._open(path)
            weakref.finalize(self, self._file.close)
        else:
            self._file = output.file
        self._offsets = array("Q")
        self._known: PcapFile | PcapngFile | None = None
        if output is None:
            self._known = self._choose()
            self._scan()

    def _open(self, path: str) -> BinaryIO:
        file = open(path, "rb")  # noqa: SIM115
        magic = file.read(2)
        file.seek(0)
        if magic != GZIP:
            return file
        # A compressed file cannot be read from the middle; what it holds goes to a temporary file.
        plain: BinaryIO = tempfile.SpooledTemporaryFile(_SPOOL)  # type: ignore[assignment]  # noqa: SIM115
        with file:
            for chunk in self._inflate(file):
                plain.write(chunk)
        plain.seek(0)
        return plain

    def _inflate(self, file: BinaryIO) -> Iterator[bytes]:
        """Everything that can be decompressed; `damage` is set when that is not everything."""
        inflate = zlib.decompressobj(wbits=31)
        while chunk := file.read(_CHUNK):
            while chunk:
                if inflate.eof:  # a member ended, another begins
                    if not chunk.startswith(GZIP):
                        return
                    inflate = zlib.decompressobj(wbits=31)
                before = inflate.copy()
                try:
                    yield inflate.decompress(chunk)
                except zlib.error as error:
                    self.damage = CaptureError(self.path, 0, f"the gzip stream is damaged ({error})")
                    yield from _up_to_damage(before, chunk)
                    return
                chunk = inflate.unused_data
        if not inflate.eof:
            self.damage = CaptureError(self.path, file.tell(), "the gzip stream is cut short")

    @property
    def _reader(self) -> PcapFile | PcapngFile:
        if self._known is None:
            self._known = self._choose()
        return self._known

    def _choose(self) -> PcapFile | PcapngFile:
        # scapy is imported here, when a capture is read, and not when the package is.
        from stack.capture.pcap_reader import MAGIC_NUMBERS, PcapFile
        from stack.capture.pcapng_reader import MAGIC_NUMBER, PcapngFile

        self._file.seek(0)
        magic = self._file.read(4)
        self._file.seek(0)
        if magic == MAGIC_NUMBER:
            return PcapngFile(self.path, self._file)
        if magic in MAGIC_NUMBERS:
            return PcapFile(self.path, self._file)
        if not magic:
            raise CaptureError(self.path, 0, "the file is empty")
        raise CaptureError(self.path, 0, f"neither pcap nor pcapng: the file begins with {magic.hex()}")

    def _scan(self) -> None:
        """Bring the index up to the end of the file."""
        try:
            self._offsets.extend(self._reader.offsets())
        except CaptureError as error:
            self.damage = self.damage or error

    @property
    def _begun(self) -> bool:
        return self._output is None or self._output.begun

    def _looked(self) -> PcapFile | PcapngFile:
        """The reader, when it has seen what is there by now."""
        len(self)
        return self._reader

    def __len__(self) -> int:
        if self._output is not None:
            self._output.flush()
            if self._output.begun:
                self._scan()
        return len(self._offsets)

    def frame(self, index: int) -> Frame:
        """The packet with number `index`, from 0; `len` must have covered it."""
        return self._reader.frame(self._offsets[index])

    @property
    def interfaces(self) -> list[Interface]:
        """All interfaces that the file describes, in order."""
        return self._looked().described if self._begun else []

    @property
    def names(self) -> dict[str, list[str]]:
        """Address in text → names, from name resolution blocks."""
        return self._looked().names if self._begun else {}

    @property
    def secrets(self) -> list[bytes]:
        """The contents of decryption secrets blocks."""
        return self._looked().secrets if self._begun else []


def _up_to_damage(inflate: Any, chunk: bytes) -> Iterator[bytes]:
    """What a damaged piece of a gzip stream gives, octet by octet: the library keeps nothing of a call that fails."""
    try:
        for index in range(len(chunk)):
            yield inflate.decompress(chunk[index : index + 1])
    except zlib.error:
        return
