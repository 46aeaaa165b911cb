"""The Internet checksum (RFC 1071), by the remainder of one big integer."""

from __future__ import annotations

# Residues modulo 0xffff are unchanged by adding the halves of a number at any multiple of 16 bits; a few such folds
# of a long number are cheaper than its division. At a multiple of 30 bits too, Python's digits need no shifting; and each
# fold is a little above the half of what the one before it leaves, for a frame of 1500 octets.
_FRAME = 1500
_WIDE, _HALF, _QUARTER, _EIGHTH = ((1 << bits) - 1 for bits in (6000, 3120, 1680, 960))
from_bytes = int.from_bytes


def ones_sum(data: bytes) -> int:
    """The one's complement sum of `data` as a residue modulo 0xffff: 0 stands for both 0 and 0xffff.

    An odd last octet counts as the high half of a 16-bit word.
    """
    size = len(data)
    if size > _FRAME:
        return sum([ones_sum(data[at : at + _FRAME]) for at in range(0, size, _FRAME)]) % 0xFFFF
    number = from_bytes(data, "big")
    if size & 1:
        number <<= 8
    if size > 390:
        if size > 750:
            number = (number >> 6000) + (number & _WIDE)
        number = (number >> 3120) + (number & _HALF)
        number = (number >> 1680) + (number & _QUARTER)
        number = (number >> 960) + (number & _EIGHTH)
    return number % 0xFFFF


def internet_checksum(data: bytes) -> int:
    """The checksum that belongs into the (zeroed) checksum field of `data`."""
    residue = ones_sum(data)
    if residue == 0:
        return 0 if any(data) else 0xFFFF
    return 0xFFFF - residue
