"""MSS clamping: a router lowers the MSS that SYNs announce to what its links carry (RFC 4459 section 3.2; Linux's TCPMSS)."""

from __future__ import annotations

from stack.codec.header import Header
from stack.tcp.formats.options import MSS_KIND, NO_OPERATION, TCPOptions
from stack.tcp.formats.tcp import SYN, TCP

FIXED = 20  # octets of a TCP header without options
_CHECKSUM = 16
_FLAGS = 13


def lowered(options: bytes, limit: int) -> bytes | None:
    """TCP options with an MSS of at most `limit`; None if there is nothing to change."""
    at = 0
    while at < len(options) and options[at]:
        if options[at] == NO_OPERATION:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            return None
        if options[at] == MSS_KIND and length == 4:
            if int.from_bytes(options[at + 2 : at + 4], "big") <= limit:
                return None
            return options[: at + 2] + limit.to_bytes(2, "big") + options[at + 4 :]
        at += length
    return None


def clamp_header(upper: Header, mtu: int, overhead: int) -> Header:
    """A transport header on its way over a link with `mtu`; `overhead`: octets of the IP header."""
    if not isinstance(upper, TCP) or not upper.flags & SYN:
        return upper
    options = lowered(upper.options, mtu - overhead - FIXED)
    return upper if options is None else upper.replace(options=TCPOptions(options))


def clamp_octets(datagram: bytes, at: int, mtu: int, overhead: int) -> bytes:
    """The same for octets, whose TCP header begins at `at`: the checksum changes by what the MSS does (RFC 1624)."""
    if len(datagram) < at + FIXED or not datagram[at + _FLAGS] & SYN:
        return datagram
    end = at + 4 * (datagram[at + 12] >> 4)
    old = datagram[at + FIXED : end]
    new = lowered(old, mtu - overhead - FIXED)
    if new is None or end > len(datagram):
        return datagram
    checksum = int.from_bytes(datagram[at + _CHECKSUM : at + _CHECKSUM + 2], "big")
    # Words of 16 bits, whichever way the MSS lies across them: both options are as long, so the difference is the sum's.
    difference = (int.from_bytes(old, "big") - int.from_bytes(new, "big")) % 0xFFFF
    changed = ((checksum + difference) % 0xFFFF or 0xFFFF).to_bytes(2, "big")
    return datagram[: at + _CHECKSUM] + changed + datagram[at + _CHECKSUM + 2 : at + FIXED] + new + datagram[end:]
