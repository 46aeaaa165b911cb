"""Reading pcapng (draft-ietf-opsawg-pcapng): scapy's block parsers, behind checks that say where a file breaks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from struct import unpack, unpack_from
from typing import Any, BinaryIO

from scapy.utils import RawPcapNgReader

from stack.capture.error import CaptureError
from stack.capture.frame import Frame, Interface
from stack.capture.pcap_reader import LARGEST, PlainClass

MAGIC_NUMBER = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _PACKET, _SIMPLE, _NAMES, _ENHANCED, _SECRETS = 0x0A0D0D0A, 1, 2, 3, 4, 6, 10
_SMALLEST = {_SECTION: 28, _INTERFACE: 20, _PACKET: 32, _SIMPLE: 16, _ENHANCED: 32, _SECRETS: 20}
_BLOCK_LIMIT = 16 * 1024 * 1024
_FIXED = {_PACKET: 20, _SIMPLE: 4, _ENHANCED: 20}  # octets of a packet block's body before the packet

_Section = tuple[int, str, list[Any], list[Interface]]  # offset, byte order, scapy's interfaces, ours


class PcapngFile(RawPcapNgReader, metaclass=PlainClass):
    """A pcapng file open at `file`: several sections, either byte order, any resolution and offset of time."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.filename = path
        self.f = file
        self.default_options = {"tsresol": 1_000_000}
        self.endian = "<"
        self.process_information: list[dict[str, Any]] = []
        self._tls_state = None
        self.blocktypes = {_INTERFACE: self._read_block_idb, _PACKET: self._read_block_pkt,
                           _SIMPLE: self._read_block_spb, _ENHANCED: self._read_block_epb}  # fmt: skip
        self.sections: list[_Section] = []
        self.interfaces: list[Any] = []
        self.names: dict[str, list[str]] = {}
        self.secrets: list[bytes] = []
        self.position = 0  # where the next block begins that `offsets` has not seen

    def offsets(self) -> Iterator[int]:
        """Where each whole packet block not seen before begins; raises `CaptureError` at the first broken block."""
        if self.sections:
            _, self.endian, self.interfaces, _ = self.sections[-1]
        while True:
            position = self.position
            kind, length = self._head(position)
            if not length:
                return
            self.position += length + (-length & 3)
            if kind in _FIXED:
                self._check_packet(position, kind, length)
                yield position
            else:
                body = self._body(position, length)
                if kind == _SECTION:
                    self._open_section(position, body)
                elif kind == _INTERFACE:
                    self._add_interface(body)
                elif kind == _NAMES:
                    self._add_names(body)
                elif kind == _SECRETS:
                    self._add_secrets(body)

    def _fail(self, position: int, reason: str) -> CaptureError:
        return CaptureError(self.filename, position, reason)

    def _head(self, position: int) -> tuple[int, int]:
        """(type, total length) of the block at `position`; length 0 at the end of the file."""
        self.f.seek(position)
        head = self.f.read(12)
        if not head:
            return 0, 0
        if len(head) < 12:
            raise self._fail(position, f"the file ends inside a block's header: {len(head)} of 12 octets")
        if head[:4] == MAGIC_NUMBER:
            order = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(head[8:12])
            if order is None:
                raise self._fail(position, f"a section with byte-order magic {head[8:12].hex()}")
            self.endian = order
        elif not self.sections:
            raise self._fail(position, "the file does not begin with a section header")
        kind, length = unpack_from(self.endian + "II", head)
        if not _SMALLEST.get(kind, 12) <= length <= _BLOCK_LIMIT:
            raise self._fail(position, f"a block of type {kind:#x} with length {length}")
        self.f.seek(position + length + (-length & 3) - 4)
        tail = self.f.read(4)
        if len(tail) < 4:
            raise self._fail(position, f"the file ends inside a block of {length} octets")
        if unpack(self.endian + "I", tail)[0] != length:
            raise self._fail(position, f"a block begins with length {length}, ends with {unpack(self.endian + 'I', tail)[0]}")
        return kind, length

    def _body(self, position: int, length: int) -> bytes:
        self.f.seek(position + 8)
        return bytes(self.f.read(length - 12))

    def _check_packet(self, position: int, kind: int, length: int) -> None:
        """The fixed part agrees with the block's length and with the interfaces there are."""
        self.f.seek(position + 8)
        fixed = self.f.read(_FIXED[kind])
        room = length - 12 - _FIXED[kind]
        if kind == _SIMPLE:
            number, size = 0, 0
        else:
            number = unpack_from(self.endian + ("I" if kind == _ENHANCED else "H"), fixed)[0]
            size = unpack_from(self.endian + "I", fixed, 12)[0]
        if number >= len(self.interfaces):
            raise self._fail(position, f"a packet of interface {number}; the section describes {len(self.interfaces)}")
        if kind == _SIMPLE:
            size = self._simple_size(fixed)
        if size > room or size > LARGEST:
            raise self._fail(position, f"a packet of {size} octets in a block of {length}")

    def _open_section(self, position: int, body: bytes) -> None:
        major, minor = unpack_from(self.endian + "HH", body, 4)
        if major != 1 or minor not in (0, 2):
            raise self._fail(position, f"a section of pcapng version {major}.{minor}; 1.0 is understood")
        self.interfaces = []  # they are numbered anew in each section
        self.sections.append((position, self.endian, self.interfaces, []))

    @property
    def described(self) -> list[Interface]:
        """The interfaces of all sections."""
        return [interface for section in self.sections for interface in section[3]]

    def _add_interface(self, body: bytes) -> None:
        self._read_block_idb(body, 0)
        linktype, _, options = self.interfaces[-1]
        known = self._read_options(body[8:])
        # scapy leaves out if_tsoffset (seconds to add), and the description.
        shift = known.get(14, b"")
        options["offset"] = unpack(self.endian + "q", shift)[0] if len(shift) == 8 else 0
        text = [known.get(code, b"").decode("utf-8", "replace") for code in (2, 3)]
        self.sections[-1][3].append(Interface(text[0], linktype, text[1]))

    def _add_names(self, body: bytes) -> None:
        """Records of a name resolution block: 1 an IPv4 address, 2 an IPv6 address, then names that end in zero."""
        position = 0
        while position + 4 <= len(body):
            kind, length = unpack_from(self.endian + "HH", body, position)
            value = body[position + 4 : position + 4 + length]
            size = {1: 4, 2: 16}.get(kind, 0)
            if kind == 0 or len(value) < length:
                return
            if size and length > size:
                names = [name.decode("utf-8", "replace") for name in value[size:].split(b"\0") if name]
                self.names.setdefault(str(ipaddress.ip_address(value[:size])), []).extend(names)
            position += 4 + length + (-length & 3)

    def _add_secrets(self, body: bytes) -> None:
        size = unpack_from(self.endian + "I", body, 4)[0]
        self.secrets.append(body[8 : 8 + size])

    def frame(self, offset: int) -> Frame:
        """The packet whose block begins at `offset`, which `offsets` has given."""
        _, self.endian, self.interfaces, described = self._section_of(offset)
        self.f.seek(offset)
        kind, length = unpack(self.endian + "II", self.f.read(8))
        body = bytes(self.f.read(length - 12))
        number = 0 if kind == _SIMPLE else unpack_from(self.endian + ("I" if kind == _ENHANCED else "H"), body)[0]
        data, about = self.blocktypes[kind](body, LARGEST)
        time = 0  # a simple packet block has none
        if about.tshigh is not None:
            ticks = about.tshigh << 32 | about.tslow
            time = self.interfaces[number][2]["offset"] * 1_000_000_000 + ticks * 1_000_000_000 // about.tsresol
        comments = about.comments
        text = None if not comments else "\n".join(line.decode("utf-8", "replace") for line in comments)
        return Frame(time, data, about.wirelen, described[number], text)

    def _section_of(self, offset: int) -> _Section:
        """Files have one section, as a rule, or a few: the last that begins before `offset`."""
        return next(section for section in reversed(self.sections) if section[0] < offset)

    def _simple_size(self, fixed: bytes) -> int:
        length: int = unpack_from(self.endian + "I", fixed)[0]
        snaplen: int = self.interfaces[0][1]
        return min(length, snaplen) if snaplen else length

    def _read_block_spb(self, block: bytes, size: int) -> tuple[bytes, Any]:
        # scapy takes a snap length of 0, which means no limit, for a limit of nothing.
        linktype, snaplen, options = self.interfaces[0]
        if not snaplen:
            self.interfaces[0] = (linktype, LARGEST, options)
        found: tuple[bytes, Any] = super()._read_block_spb(block, size)
        return found

    def _read_block_epb(self, block: bytes, size: int) -> tuple[bytes, Any]:
        found: tuple[bytes, Any]
        try:
            found = super()._read_block_epb(block, size)
        except EOFError:  # an option of the wrong size: the packet stands, its options are left out
            octets = unpack_from(self.endian + "I", block, 12)[0]
            found = super()._read_block_epb(block[: 20 + octets], size)
        return found

    def _read_block_pkt(self, block: bytes, size: int) -> tuple[bytes, Any]:
        # scapy skips the options of the obsolete packet block, and with them its comment.
        data, about = super()._read_block_pkt(block, size)
        options = self._read_options(block[20 + len(data) + (-len(data) & 3) :])
        return data, about._replace(comments=options.get(1))
