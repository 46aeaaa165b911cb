"""The port space of a transport: who holds which port, and which ephemeral port comes next (RFC 6335 section 6, RFC 6056).

TCP and UDP have one each, independent of each other. What conflicts is what Linux says conflicts.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.randomness import Stream

WELL_KNOWN = range(1024)
REGISTERED = range(1024, 49152)
DYNAMIC = range(49152, 65536)

V4 = 1
V6 = 2
_COUNTERS = 256


def kind(port: int) -> str:
    """In which of IANA's three ranges a port number lies (RFC 6335 section 6)."""
    if port in WELL_KNOWN:
        return "well-known"
    if port in REGISTERED:
        return "registered"
    if port in DYNAMIC:
        return "dynamic"
    raise ValueError(f"port is {port}; expected 0 to 65535")


def os_error(number: int) -> OSError:
    """The error that a system call gives for `number`."""
    return OSError(number, os.strerror(number))


class Claim:
    """One socket's hold on a port. `address` None is the wildcard; `versions` says in which IP versions."""

    __slots__ = ("address", "automatic", "listening", "port", "reuse_address", "reuse_port", "versions")

    def __init__(
        self,
        address: IPAddress | None,
        port: int,
        versions: int,
        reuse_address: bool = False,
        reuse_port: bool = False,
        automatic: bool = False,
    ) -> None:
        self.address = address
        self.port = port
        self.versions = versions
        self.reuse_address = reuse_address
        self.reuse_port = reuse_port
        self.automatic = automatic
        self.listening = False

    def overlaps(self, other: Claim) -> bool:
        """Could a packet be meant for both?"""
        if not self.versions & other.versions:
            return False
        return self.address is None or other.address is None or self.address == other.address

    def conflicts(self, other: Claim) -> bool:
        """Linux: sharing needs both to allow it, and SO_REUSEADDR alone never shares a port with a listener."""
        if not self.overlaps(other):
            return False
        if self.reuse_port and other.reuse_port:
            return False
        return not (self.reuse_address and other.reuse_address and not other.listening)

    def __repr__(self) -> str:
        return f"Claim({self.address or '*'}:{self.port})"


class PortSpace:
    """The ports of one transport on one host."""

    __slots__ = ("_claims", "_counters", "_secret", "_stream", "ephemeral")

    def __init__(self, stream: Stream, ephemeral: range = DYNAMIC) -> None:
        self.ephemeral = ephemeral
        self._stream = stream
        # Most ports have one holder. Of several, a dict: ordered, and quick to take one out of ten thousand
        self._claims: dict[int, Claim | dict[Claim, None]] = {}
        self._secret = stream.bytes(16)
        self._counters = [stream.getrandbits(16) for _ in range(_COUNTERS)]

    def bind(
        self,
        address: IPAddress | None,
        port: int,
        versions: int | None = None,
        *,
        reuse_address: bool = False,
        reuse_port: bool = False,
    ) -> Claim:
        """Hold `port` (0: a free ephemeral one) on `address`; raises EADDRINUSE."""
        if not 0 <= port <= 65535:
            raise OverflowError(f"port is {port}; expected 0 to 65535")
        address, versions = meaning(address, versions)
        claim = Claim(address, port, versions, reuse_address, reuse_port)
        if port == 0:
            claim.port = self._free(claim)
        elif any(claim.conflicts(other) for other in self.holders(port)):
            raise os_error(errno.EADDRINUSE)
        return self._hold(claim)

    def listen(self, claim: Claim) -> None:
        """The holder of `claim` begins to listen; raises EADDRINUSE if another listens there already."""
        if any(other is not claim and claim.conflicts(other) for other in self.holders(claim.port)):
            raise os_error(errno.EADDRINUSE)
        claim.listening = True

    def connect(
        self,
        local: IPAddress,
        remote: IPAddress,
        remote_port: int,
        taken: Callable[[int], bool],
        usable: Callable[[int], bool] = lambda port: True,
    ) -> Claim:
        """An ephemeral port for a connection (RFC 6056 section 3.3.4, double hash); raises EADDRNOTAVAIL.

        One port may serve many connections to different remotes; `taken` says that exactly this one exists.
        """
        digest = hashlib.blake2b(
            b"".join((local, remote, remote_port.to_bytes(2, "big"))), key=self._secret, digest_size=5
        ).digest()
        offset = int.from_bytes(digest[:4], "big")
        index = digest[4]
        ports = self.ephemeral
        for _ in range(len(ports)):
            port = ports[(offset + self._counters[index]) % len(ports)]
            self._counters[index] += 1
            if all(other.automatic for other in self.holders(port)) and not taken(port) and usable(port):
                return self._hold(Claim(local, port, _version(local), automatic=True))
        raise os_error(errno.EADDRNOTAVAIL)

    def share(self, claim: Claim, local: IPAddress) -> Claim:
        """A hold for a connection that came in on a listener's port: it outlives the listener."""
        held = Claim(local, claim.port, _version(local), claim.reuse_address, claim.reuse_port)
        return self._hold(held)

    def release(self, claim: Claim) -> None:
        """Let go of a port; a second time does nothing."""
        found = self._claims.get(claim.port)
        if found is claim:
            del self._claims[claim.port]
        elif isinstance(found, dict) and claim in found:
            del found[claim]
            if not found:
                del self._claims[claim.port]

    def holders(self, port: int) -> Iterator[Claim]:
        """The claims on a port, the oldest first."""
        found = self._claims.get(port, ())
        return iter((found,) if isinstance(found, Claim) else found)

    def __len__(self) -> int:
        return len(self._claims)

    def _hold(self, claim: Claim) -> Claim:
        found = self._claims.get(claim.port)
        if found is None:
            self._claims[claim.port] = claim
        elif isinstance(found, dict):
            found[claim] = None
        else:
            self._claims[claim.port] = {found: None, claim: None}
        return claim

    def _free(self, claim: Claim) -> int:
        """A port on which nobody conflicts, from a random start (RFC 6056 section 3.3.1)."""
        ports = self.ephemeral
        start = self._stream.below(len(ports))
        for step in range(len(ports)):
            port = ports[(start + step) % len(ports)]
            if not any(claim.overlaps(other) for other in self.holders(port)):
                return port
        raise os_error(errno.EADDRINUSE)


def meaning(address: IPAddress | None, versions: int | None = None) -> tuple[IPAddress | None, int]:
    """What a bound address stands for: the unspecified one is the wildcard, a mapped one (RFC 4291 2.5.5.2) is IPv4."""
    if address is None:
        return None, versions or V4 | V6
    if isinstance(address, IPv6Address) and address.mapped is not None:
        address = address.mapped
    if address == IPv4Address.UNSPECIFIED:
        return None, V4
    if address == IPv6Address.UNSPECIFIED:
        return None, versions or V4 | V6
    return address, _version(address)


def _version(address: IPAddress) -> int:
    return V4 if len(address) == IPv4Address.length else V6
