"""The MD5 signature option (RFC 2385), as Linux has it with TCP_MD5SIG."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack.tcp.formats.options import TCPOptions
from stack.tcp.signing.pseudo import fixed_header, pseudo_header

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.formats.tcp import TCP

MD5_KIND = 19
_BLANK = bytes(16)


def prefixed(address: bytes, network: bytes, prefix: int) -> bool:
    """Whether the first `prefix` bits of both are the same."""
    spare = 8 * len(network) - prefix
    return len(address) == len(network) and int.from_bytes(address, "big") >> spare == int.from_bytes(network, "big") >> spare


@dataclass(frozen=True, slots=True)
class MD5Key:
    """A key for the peers whose address begins as `address` does, in `prefix` bits."""

    address: bytes
    prefix: int
    secret: bytes

    def fits(self, address: bytes) -> bool:
        """Whether it is for this peer."""
        return prefixed(address, self.address, self.prefix)


def digest(secret: bytes, source: bytes, destination: bytes, header: TCP, text: bytes) -> bytes:
    """Section 2.0: of the pseudo-header, the header without options, the text, the key. `header` has all its options."""
    length = 20 + len(header.options) + len(text)
    covered = pseudo_header(source, destination, length) + fixed_header(header) + text + secret
    return hashlib.md5(covered, usedforsecurity=False).digest()


class MD5:
    """Signs the segments of a connection under one key."""

    __slots__ = ("kind", "secret", "size")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.size = 20  # two NOPs and 18 octets
        self.kind = MD5_KIND

    def sign(self, b: Block, header: TCP, text: bytes) -> TCP:
        """The option goes first, as in Linux."""
        assert b.remote is not None
        rest = header.options
        blank = header.replace(options=TCPOptions(b"\1\1\x13\x12" + _BLANK + rest))
        made = digest(self.secret, b.local[0], b.remote[0], blank, text)
        return header.replace(options=TCPOptions(b"\1\1\x13\x12" + made + rest))

    def good(self, b: Block, header: TCP, text: bytes, given: bytes) -> bool:
        """Whether the digest fits."""
        assert b.remote is not None
        good = hmac.compare_digest(given, digest(self.secret, b.remote[0], b.local[0], header, text))
        b.counters.TCPMD5Failure += not good
        return good
