"""Writing pcap (draft-ietf-opsawg-pcap): scapy's writer, with integer nanoseconds and without its cost per packet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct

from scapy.utils import RawPcapWriter

from stack.capture.output import Output

SNAPLEN = 262144  # what Wireshark takes as the largest packet there is
SECOND = 1_000_000_000

_RECORD = Struct("<IIII")


class PcapWriter(RawPcapWriter):
    """A pcap file: nanoseconds, little endian, one link type. Names, comments and secrets have no place in it."""

    def __init__(self, output: Output, nanoseconds: bool = True) -> None:
        # scapy's own constructor opens a file with a buffer that may cut a record in two.
        super().__init__(output, endianness="<", nano=nanoseconds, snaplen=SNAPLEN)
        self.output = output
        self._unit = 1 if nanoseconds else 1000

    def add_interface(self, name: str, linktype: int = 1, description: str | None = None) -> int:
        """All interfaces share the one link type of the file; their names are lost."""
        if not self.header_present:
            self.linktype = linktype
            self.write_header(None)
        elif linktype != self.linktype:
            raise ValueError(
                f"interface {name!r} has link type {linktype}, the pcap file has {self.linktype}: use pcapng"
            )
        return 0

    def add_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """pcap cannot hold names."""

    def add_tls_secrets(self, keylog: str) -> None:
        """pcap cannot hold secrets."""

    def write_frame(
        self, time: int, data: bytes, interface: int = 0, comment: str | None = None, length: int | None = None
    ) -> None:
        """One record: `time` in nanoseconds, `length` the octets on the wire where `data` is only a part of them."""
        second, fraction = divmod(time, SECOND)
        size = len(data)
        self.output.write(_RECORD.pack(second, fraction // self._unit, size, size if length is None else length) + data)

    def close(self) -> None:
        """Finish the file; one without an interface gets an Ethernet header."""
        if not self.header_present:
            self.add_interface("")
        self.output.close()
