"""The reset that answers a segment without a connection (RFC 9293 sections 3.5.2 and 3.10.7.1)."""

from __future__ import annotations

from stack.codec.fields import Sealed
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import ACK, FIN, RST, SYN, TCP
from stack.tcp.seq import wrap

_NO_OPTIONS = TCPOptions()


def refusal(header: TCP, length: int) -> TCP | None:
    """The answer to a segment with `length` octets of text that is for no connection; None for a RST.

    It also answers an ACK that comes to a listening port (3.10.7.2, second).
    """
    flags = header.flags
    if flags & RST:
        return None
    if flags & ACK:
        sequence, acknowledgment, answer = header.acknowledgment, 0, RST
    else:
        sequence, answer = 0, RST | ACK
        acknowledgment = wrap(header.sequence + length + (flags & SYN > 0) + (flags & FIN))
    answered: TCP = TCP.of(
        header.destination, header.source, sequence, acknowledgment, Sealed, 0, answer, 0, Sealed, 0, _NO_OPTIONS
    )
    return answered
