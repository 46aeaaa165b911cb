"""Reading pcap (draft-ietf-opsawg-pcap): scapy's reader, with offsets, integer nanoseconds and a clear end."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack
from typing import Any, BinaryIO

from scapy.utils import PcapReader_metaclass, RawPcapReader

from stack.capture.error import CaptureError
from stack.capture.frame import Frame, Interface

LARGEST = 262144  # octets of a packet, beyond which Wireshark too takes the file for damaged
MAGIC_NUMBERS = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1")


class PlainClass(PcapReader_metaclass):
    """Makes readers as any class does; scapy's own way opens the file itself and hides why it failed."""

    def __call__(self, *arguments: Any) -> Any:
        return type.__call__(self, *arguments)


class PcapFile(RawPcapReader, metaclass=PlainClass):
    """A pcap file open at `file`, of either byte order, in micro- or nanoseconds, versions 2.0 to 2.4."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        header = file.read(24)
        if len(header) < 24:
            raise CaptureError(path, len(header), "the file ends inside the pcap header")
        file.seek(4)
        super().__init__(path, file, header[:4])
        minor = unpack(self.endian + "H", header[6:8])[0]
        self.swapped = minor < 3  # the two lengths changed places in version 2.3, and not every writer noticed
        self.maybe_swapped = minor == 3
        self.unit = 1 if self.nano else 1000
        # The upper bits say how many octets of Ethernet check follow each frame.
        self.described = [Interface("", self.linktype & 0x03FFFFFF)]
        self.names: dict[str, list[str]] = {}
        self.secrets: list[bytes] = []
        self.position = 24  # where the next record begins that `offsets` has not seen

    def offsets(self) -> Iterator[int]:
        """Where each whole record not seen before begins; raises `CaptureError` at the first broken one."""
        while True:
            position = self.position
            self.f.seek(position)
            head = self.f.read(16)
            if not head:
                return
            size = self._lengths(head, position)[0]
            self.f.seek(size - 1 if size else 0, 1)
            if size and not self.f.read(1):
                raise CaptureError(self.filename, position, f"the file ends inside a packet of {size} octets")
            self.position += 16 + size
            yield position

    def frame(self, offset: int) -> Frame:
        """The packet whose record begins at `offset`."""
        self.f.seek(offset)
        head = self.f.read(16)
        size, length = self._lengths(head, offset)
        seconds, fraction = unpack(self.endian + "II", head[:8])
        data = self.f.read(size)
        if len(data) < size:
            raise CaptureError(self.filename, offset, f"the file ends inside a packet of {size} octets")
        return Frame(seconds * 1_000_000_000 + fraction * self.unit, data, length, self.described[0], None)

    def _lengths(self, head: bytes, offset: int) -> tuple[int, int]:
        """(octets in the file, octets on the wire)"""
        if len(head) < 16:
            raise CaptureError(self.filename, offset, f"the file ends inside a packet's header: {len(head)} of 16 octets")
        size, length = unpack(self.endian + "II", head[8:])
        if self.swapped or (self.maybe_swapped and size > length):
            size, length = length, size
        if size > LARGEST:
            raise CaptureError(self.filename, offset, f"a packet of {size} octets; the largest there is has {LARGEST}")
        return size, length
