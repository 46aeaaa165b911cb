"""Signatures of segments: the seam at which MD5 (RFC 2385) and the authentication option (RFC 5925) sign and check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from stack.tcp.formats.options import TCPOptions
from stack.tcp.signing.ao import AO_KIND, Authentication
from stack.tcp.signing.md5 import MD5, MD5_KIND

if TYPE_CHECKING:
    from stack.tcp.block import Block, Endpoint
    from stack.tcp.formats.tcp import TCP
    from stack.tcp.settings import TcpSettings


class Signature(Protocol):
    """What signs a connection's segments, and checks those that come."""

    kind: int  # of the option
    size: int  # its octets, padded

    def sign(self, b: Block, header: TCP, text: bytes) -> TCP:
        """The segment with its signature."""

    def good(self, b: Block, header: TCP, text: bytes, given: bytes) -> bool:
        """Whether the option `given`, of the right kind, fits the segment."""

def signature_for(settings: TcpSettings, remote: Endpoint | None, before: Signature | None = None) -> Signature | None:
    """What signs the segments to a peer: the key whose prefix fits best; None: they go unsigned. `before`: what did until now."""
    if remote is None or not (settings.md5_keys or settings.ao_keys):
        return None
    address = bytes(remote[0])
    keys = [key for key in settings.ao_keys if key.fits(address)]
    if keys:
        made = Authentication(tuple(keys))
        if isinstance(before, Authentication):
            made.keep_choice(before)
        return made
    best = max((key for key in settings.md5_keys if key.fits(address)), key=lambda key: key.prefix, default=None)
    return MD5(best.secret) if best is not None else None


def given(options: TCPOptions) -> tuple[int, bytes] | None:
    """The kind and the octets after kind and length of a segment's signature; None: it has none."""
    at, end = 0, len(options)
    while at < end and options[at]:
        if options[at] == 1:
            at += 1
            continue
        length = options[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            return None
        if options[at] in (MD5_KIND, AO_KIND):
            return options[at], options[at + 2 : at + length]
        at += length
    return None


def acceptable(b: Block, header: TCP, text: bytes) -> bool:
    """Whether a segment is signed as it should be: with a good signature of the kind agreed on, or not at all."""
    found, signature, counters = given(header.options), b.signature, b.counters
    if found is None:
        if signature is not None:
            counters.add("TCPMD5NotFound" if signature.kind == MD5_KIND else "TCPAORequired")
        return signature is None
    if signature is None or found[0] != signature.kind:
        counters.add("TCPMD5Unexpected" if found[0] == MD5_KIND else "TCPAOKeyNotFound")
        return False
    return signature.good(b, header, text, found[1])
