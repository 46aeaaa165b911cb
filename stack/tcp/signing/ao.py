"""The TCP authentication option (RFC 5925), with the algorithms of RFC 5926: HMAC-SHA-1-96, and AES-128-CMAC-96 where there
is the `cryptography` package."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from stack.tcp.formats.options import TCPOptions
from stack.tcp.segment import ACK, SYN
from stack.tcp.seq import MASK, unwrap
from stack.tcp.signing.md5 import prefixed
from stack.tcp.signing.pseudo import fixed_header, pseudo_header

if TYPE_CHECKING:
    from stack.tcp.block import Block, Endpoint
    from stack.tcp.formats.tcp import TCP

HMAC_SHA1, AES_CMAC = "hmac(sha1)", "cmac(aes128)"  # Linux's names
AO_KIND = 29
_MAC = 12  # octets
_LABEL = b"TCP-AO"


def _cmac(key: bytes, data: bytes) -> bytes:
    algorithms = import_module("cryptography.hazmat.primitives.ciphers.algorithms")
    made = import_module("cryptography.hazmat.primitives.cmac").CMAC(algorithms.AES(key))
    made.update(data)
    return bytes(made.finalize())


def supported(algorithm: str) -> bool:
    """Whether this algorithm can be used here."""
    if algorithm == AES_CMAC:
        try:
            _cmac(bytes(16), b"")
        except ImportError:
            return False
    return algorithm in (HMAC_SHA1, AES_CMAC)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A master key tuple (RFC 5925 section 3.1) for the peers whose address begins as `address` does, in `prefix` bits."""

    address: bytes
    prefix: int
    send_id: int
    receive_id: int
    secret: bytes
    algorithm: str = HMAC_SHA1
    options: bool = True  # options other than this one are signed too

    def fits(self, address: bytes) -> bool:
        """Whether it is for this peer."""
        return prefixed(address, self.address, self.prefix)

    def traffic_key(self, source: Endpoint, destination: Endpoint, source_isn: int, destination_isn: int) -> bytes:
        """The key of one direction, RFC 5925 section 5.2 with the functions of RFC 5926 section 3.1.1."""
        context = b"".join((
            bytes(source[0]), bytes(destination[0]), source[1].to_bytes(2, "big"), destination[1].to_bytes(2, "big"),
            (source_isn & MASK).to_bytes(4, "big"), (destination_isn & MASK).to_bytes(4, "big"),
        ))  # fmt: skip
        if self.algorithm == AES_CMAC:
            secret = self.secret if len(self.secret) == 16 else _cmac(bytes(16), self.secret)
            return _cmac(secret, b"\1" + _LABEL + context + b"\0\x80")
        return hmac.digest(self.secret, b"\1" + _LABEL + context + b"\0\xa0", hashlib.sha1)

    def mac(self, key: bytes, extension: int, source: bytes, destination: bytes, header: TCP, text: bytes) -> bytes:
        """Section 5.1: of the sequence number extension, the pseudo-header, the header whose MAC is zero, the text."""
        options, at = header.options, _place(header.options)
        blank = options[: at + 4] + bytes(_MAC) + options[at + 4 + _MAC :]
        if not self.options:
            blank = blank[at : at + 4 + _MAC]
        covered = b"".join((
            (extension & MASK).to_bytes(4, "big"), pseudo_header(source, destination, 20 + len(options) + len(text)),
            fixed_header(header), blank, text,
        ))  # fmt: skip
        made = _cmac(key, covered) if self.algorithm == AES_CMAC else hmac.digest(key, covered, hashlib.sha1)
        return made[:_MAC]


def _place(options: bytes) -> int:
    """Where the option stands."""
    at = 0
    while options[at] != 29:
        at += 1 if options[at] == 1 else options[at + 1]
    return at


class Authentication:
    """Signs a connection's segments under one of its master keys; the peer may ask for another (section 7.5.2)."""

    __slots__ = ("_keys", "_traffic", "current", "kind", "next", "size")

    def __init__(self, keys: tuple[MasterKey, ...]) -> None:
        self._keys = keys
        self._traffic: dict[tuple[MasterKey, bool, int, int], bytes] = {}
        self.current = self.next = keys[0]  # current_key, rnext_key
        self.kind = AO_KIND
        self.size = 4 + _MAC

    def choose(self, current: int | None, following: int | None) -> bool:
        """Sign with the key of this SendID, ask for that of this RecvID; False if there is no such key."""
        sending = next((key for key in self._keys if key.send_id == current), None)
        receiving = next((key for key in self._keys if key.receive_id == following), None)
        if (current is not None and sending is None) or (following is not None and receiving is None):
            return False
        self.current, self.next = sending or self.current, receiving or self.next
        return True

    def keep_choice(self, before: Authentication) -> None:
        """The keys were changed: those in use stay in use, if they are still there."""
        self.current = before.current if before.current in self._keys else self.current
        self.next = before.next if before.next in self._keys else self.next

    def sign(self, b: Block, header: TCP, text: bytes) -> TCP:
        """The option goes first, as in Linux."""
        assert b.remote is not None
        key = self.current
        mark = bytes((29, self.size, key.send_id, self.next.receive_id))
        signed = header.replace(options=TCPOptions(mark + bytes(_MAC) + header.options))
        first = header.flags & (SYN | ACK) == SYN
        traffic = self._key(key, b, True, b.iss, 0 if first else b.irs)
        extension = (unwrap(header.sequence, b.snd.nxt) >> 32) - (b.iss >> 32)
        mac = key.mac(traffic, extension, b.local[0], b.remote[0], signed, text)
        return header.replace(options=TCPOptions(mark + mac + header.options))

    def good(self, b: Block, header: TCP, text: bytes, given: bytes) -> bool:
        """Whether the MAC fits; a good one may ask for another key (section 7.5.2, step i)."""
        assert b.remote is not None
        if len(given) != 2 + _MAC:
            b.counters.TCPAOBad += 1
            return False
        key = next((each for each in self._keys if each.receive_id == given[0]), None)
        if key is None:
            b.counters.TCPAOKeyNotFound += 1
            return False
        syn = header.flags & SYN
        irs = header.sequence if syn else b.irs
        first = bool(syn) and not header.flags & ACK
        traffic = self._key(key, b, False, irs, 0 if first else b.iss)
        extension = 0 if syn else (unwrap(header.sequence, b.rcv.nxt) >> 32) - (b.irs >> 32)
        fits = hmac.compare_digest(given[2:], key.mac(traffic, extension, b.remote[0], b.local[0], header, text))
        b.counters.add("TCPAOGood" if fits else "TCPAOBad")
        if fits and given[1] != self.current.send_id:
            self.current = next((each for each in self._keys if each.send_id == given[1]), self.current)
        return fits

    def _key(self, key: MasterKey, b: Block, send: bool, source_isn: int, destination_isn: int) -> bytes:
        """Traffic keys are made once."""
        about = (key, send, source_isn & MASK, destination_isn & MASK)
        found = self._traffic.get(about)
        if found is None:
            assert b.remote is not None
            ends = (b.local, b.remote) if send else (b.remote, b.local)
            if len(self._traffic) >= 4 * len(self._keys):
                self._traffic.clear()  # whoever sends SYNs makes us keep no more than this
            found = self._traffic[about] = key.traffic_key(*ends, source_isn, destination_isn)
        return found
