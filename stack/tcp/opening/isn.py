"""Initial sequence numbers and timestamp offsets from a secret (RFC 6528, RFC 9293 section 3.4.1, RFC 7323 section 5.4)."""

from __future__ import annotations

from hashlib import blake2b

from stack.tcp.seq import MASK

_TICK = 4_000  # the clock M counts every 4 microseconds


def _mix(secret: bytes, purpose: bytes, local: tuple[bytes, int], remote: tuple[bytes, int]) -> int:
    text = b"%b%d|%b%d" % (local[0], local[1], remote[0], remote[1])
    return int.from_bytes(blake2b(text, digest_size=4, key=secret, person=purpose).digest(), "big")


def initial_sequence(secret: bytes, local: tuple[bytes, int], remote: tuple[bytes, int], now: int) -> int:
    """ISN = M + F(localip, localport, remoteip, remoteport, secretkey), with a keyed BLAKE2b as F."""
    return now // _TICK + _mix(secret, b"isn", local, remote) & MASK


def timestamp_offset(secret: bytes, local: tuple[bytes, int], remote: tuple[bytes, int]) -> int:
    """What is added to the millisecond clock of the timestamps option, so that it tells nothing about uptime."""
    return _mix(secret, b"timestamps", local, remote)
