"""Congestion experienced: the mark that a full queue sets instead of a drop (RFC 3168 section 5)."""

from __future__ import annotations

from stack.codec.packet import Packet
from stack.link.frame import Frame

_TAGS = (b"\x81\x00", b"\x88\xa8")


def mark(frame: Frame) -> bool:
    """Set CE in the frame's IP header; False, and nothing done, where its sender is not ECN-capable (Not-ECT).

    A bridge has no business with IP, but queues of real ones mark as well, so this looks for the two octets and no more.
    """
    packet = frame.packet
    data = bytes(packet)
    at = 12
    while data[at : at + 2] in _TAGS:
        at += 4
    kind, at = data[at : at + 2], at + 2
    if kind == b"\x08\x00" and len(data) >= at + 20:
        if not data[at + 1] & 3:
            return False
        made = bytearray(data)
        made[at + 1] |= 3
        # RFC 1624: the checksum of a header of which one word changed
        total = (~_word(data, at + 10) & 0xFFFF) + (~_word(data, at) & 0xFFFF) + _word(made, at)
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        made[at + 10 : at + 12] = (~total & 0xFFFF).to_bytes(2, "big")
    elif kind == b"\x86\xdd" and len(data) >= at + 40:
        if not data[at + 1] & 0x30:
            return False
        made = bytearray(data)
        made[at + 1] |= 0x30
    else:
        return False
    note = "congestion experienced: marked by a queue"
    cause = f"{packet.cause}; {note}" if packet.cause else note
    frame.packet = Packet.parse(bytes(made), packet.linktype, cause=cause)
    return True


def _word(data: bytes | bytearray, at: int) -> int:
    return data[at] << 8 | data[at + 1]
