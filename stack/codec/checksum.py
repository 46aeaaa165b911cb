"""The Internet checksum (RFC 1071), by the remainder of one big integer."""

from __future__ import annotations

# Residues modulo 0xffff are unchanged by adding the halves of a number at any multiple of 16 bits; a few such folds
# of a long number are cheaper than its division.
_FOLDS = ((5760, (1 << 5760) - 1), (2880, (1 << 2880) - 1), (1440, (1 << 1440) - 1), (720, (1 << 720) - 1))


def ones_sum(data: bytes) -> int:
    """The one's complement sum of `data` as a residue modulo 0xffff: 0 stands for both 0 and 0xffff.

    An odd last octet counts as the high half of a 16-bit word.
    """
    number = int.from_bytes(data, "big")
    size = len(data)
    if size & 1:
        number <<= 8
    if size > 360:
        for bits, mask in _FOLDS:
            number = (number >> bits) + (number & mask)
        while number >> 5760:
            number = (number >> 5760) + (number & _FOLDS[0][1])
    return number % 0xFFFF


def internet_checksum(data: bytes) -> int:
    """The checksum that belongs into the (zeroed) checksum field of `data`."""
    residue = ones_sum(data)
    if residue == 0:
        return 0 if any(data) else 0xFFFF
    return 0xFFFF - residue
