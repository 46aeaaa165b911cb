"""Writing pcapng (draft-ietf-opsawg-pcapng): scapy's blocks, with nanoseconds, names, comments and TLS secrets."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from struct import Struct, pack

from scapy.utils import RawPcapNgWriter

from stack.capture.output import Output
from stack.capture.pcap import SECOND, SNAPLEN

APPLICATION = b"packetstack"  # no version: the same scenario gives the same file under every release
COMMENT_LIMIT = 65532  # an option's length is 16 bits; rounded down to what needs no padding
_END_OF_OPTIONS = b"\0\0\0\0"
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
_ENHANCED = Struct("<7I")
_LENGTH = Struct("<I")
_TLS_KEY_LOG = 0x544C534B
_CACHED_COMMENTS = 1024


def option(code: int, value: bytes) -> bytes:
    """An option of a block, padded to 32 bits."""
    return pack("<HH", code, len(value)) + value + _PADDING[len(value) & 3]


class PcapngWriter(RawPcapNgWriter):
    """A pcapng file of one little-endian section."""

    def __init__(self, output: Output) -> None:
        # scapy's own constructor only opens a file, with a buffer that may cut a block in two, and counts microseconds.
        self.f = self.output = output
        self.filename = output.path
        self.endian = "<"
        self.endian_magic = b"\x4d\x3c\x2b\x1a"
        self.tsresol = SECOND
        self.interfaces2id: dict[bytes | None, int] = {}
        self.header_present = True
        self._comments: dict[str, bytes] = {}
        self._write_block_shb()

    def _write_block_shb(self) -> None:
        body = self.endian_magic + pack("<HHq", 1, 0, -1)
        self.f.write(self.build_block(b"\x0a\x0d\x0d\x0a", body, option(4, APPLICATION) + _END_OF_OPTIONS))

    def add_interface(self, name: str, linktype: int = 1, description: str | None = None) -> int:
        """Describe an interface; the number returned stands for it in `write_frame`."""
        options = option(2, name.encode()) if name else b""
        if description:
            options += option(3, description.encode())
        options += option(9, b"\x09") + _END_OF_OPTIONS  # if_tsresol: 10^-9 s
        self.f.write(self.build_block(pack("<I", 1), pack("<HHI", linktype, 0, SNAPLEN), options))
        number = len(self.interfaces2id)
        self.interfaces2id[f"{number} {name}".encode()] = number
        return number

    def add_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """Name resolution block: address in text → its names."""
        records = b""
        for address, known in names.items():
            octets = ipaddress.ip_address(address).packed
            value = octets + b"".join(name.encode() + b"\0" for name in known)
            records += option(1 if len(octets) == 4 else 2, value)
        self.f.write(self.build_block(pack("<I", 4), records + _END_OF_OPTIONS))

    def add_tls_secrets(self, keylog: str) -> None:
        """Decryption secrets block: lines as in an SSLKEYLOGFILE, before the packets that need them."""
        secrets = keylog.encode()
        self.f.write(self.build_block(pack("<I", 10), pack("<II", _TLS_KEY_LOG, len(secrets)) + secrets))

    def write_frame(
        self, time: int, data: bytes, interface: int = 0, comment: str | None = None, length: int | None = None
    ) -> None:
        """One enhanced packet block, packed here in one go: scapy's way costs four times as much per packet."""
        size = len(data)
        options = b"" if comment is None else self._comments.get(comment) or self._comment(comment)
        padding = _PADDING[size & 3]
        total = 32 + size + len(padding) + len(options)
        head = _ENHANCED.pack(6, total, interface, time >> 32, time & 0xFFFFFFFF, size, size if length is None else length)
        self.output.write(b"".join((head, data, padding, options, _LENGTH.pack(total))))

    def _comment(self, comment: str) -> bytes:
        """The options of a packet with this comment; few comments differ, so they are kept."""
        text = comment.encode()
        if len(text) > COMMENT_LIMIT:
            text = text[:COMMENT_LIMIT].decode(errors="ignore").encode()
        options = option(1, text) + _END_OF_OPTIONS
        if len(self._comments) >= _CACHED_COMMENTS:
            self._comments.clear()
        self._comments[comment] = options
        return options

    def close(self) -> None:
        """Finish the file."""
        self.output.close()
