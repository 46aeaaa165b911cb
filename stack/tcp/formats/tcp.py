"""The TCP header (RFC 9293 section 3.1)."""

from __future__ import annotations

from construct import BitsInteger, Flag, Int16ub, Int32ub, this

from stack.codec.checksum import ones_sum
from stack.codec.fields import Run, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.options import OptionsField
from stack.codec.registry import carried
from stack.ip.formats.ipv4 import IPv4, whole_words
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.options import TCPOptions

PROTOCOL = 6
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = (1 << bit for bit in range(9))


@carried(IPv4, protocol=PROTOCOL)
@carried(IPv6, next_header=PROTOCOL)
@header
class TCP(Header):
    """TCP header. `data_offset` counts 32-bit words; `window` is as on the wire, not scaled."""

    source: int = wire(Int16ub, default=0)
    destination: int = wire(Int16ub, default=0)
    sequence: int = wire(Int32ub, default=0)
    acknowledgment: int = wire(Int32ub, default=0)
    data_offset: int = wire(BitsInteger(4), default=Sealed)
    reserved: int = wire(BitsInteger(3), default=0)
    ae: bool = wire(Flag, default=False, doc="accurate ECN (RFC 9768)")
    cwr: bool = wire(Flag, default=False, doc="congestion window reduced (RFC 3168)")
    ece: bool = wire(Flag, default=False, doc="ECN-echo (RFC 3168)")
    urg: bool = wire(Flag, default=False, doc="urgent pointer field is significant")
    ack: bool = wire(Flag, default=False, doc="acknowledgment field is significant")
    psh: bool = wire(Flag, default=False, doc="push function")
    rst: bool = wire(Flag, default=False, doc="reset the connection")
    syn: bool = wire(Flag, default=False, doc="synchronize sequence numbers")
    fin: bool = wire(Flag, default=False, doc="no more data from sender")
    window: int = wire(Int16ub, default=65535)
    checksum: int = wire(Int16ub, default=Sealed, hexadecimal=True)
    urgent_pointer: int = wire(Int16ub, default=0)
    options: OptionsField[TCPOptions] = wire(Value(TCPOptions, Run(this.data_offset * 4 - 20)), default=TCPOptions())

    usual = True

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        words = self.data_offset
        if words is Sealed:
            options = self._options
            words = 5 + whole_words(options, "TCP.options") if options else 5
        if self.checksum is not Sealed:
            return self.pack(words)
        head = self.pack(words, 0)
        length = len(head) + len(body)
        pseudo = headers[index - 1].pseudo_sum(PROTOCOL, length, headers, index - 1) if index else 0
        return head[:16] + (-(pseudo + ones_sum(head + body)) % 0xFFFF).to_bytes(2, "big") + head[18:]
