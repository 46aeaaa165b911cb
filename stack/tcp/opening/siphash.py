"""SipHash-2-4 of Aumasson and Bernstein (2012): the keyed hash of Linux's fast open and SYN cookies."""

from __future__ import annotations

from struct import Struct

_WORDS = Struct("<QQ").unpack
_MASK = 0xFFFFFFFFFFFFFFFF


def siphash(key: bytes, data: bytes) -> int:
    """The 64-bit hash of `data` under a key of 16 octets."""
    k0: int
    k1: int
    k0, k1 = _WORDS(key)
    v0, v1 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    v2, v3 = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    padded = data + bytes(-(len(data) + 1) % 8) + bytes((len(data) & 0xFF,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v3 ^= word
        v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3))
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = v0 + v1 & _MASK
    v1 = (v1 << 13 | v1 >> 51) & _MASK ^ v0
    v0 = v0 << 32 & _MASK | v0 >> 32
    v2 = v2 + v3 & _MASK
    v3 = (v3 << 16 | v3 >> 48) & _MASK ^ v2
    v0 = v0 + v3 & _MASK
    v3 = (v3 << 21 | v3 >> 43) & _MASK ^ v0
    v2 = v2 + v1 & _MASK
    v1 = (v1 << 17 | v1 >> 47) & _MASK ^ v2
    v2 = v2 << 32 & _MASK | v2 >> 32
    return v0, v1, v2, v3
