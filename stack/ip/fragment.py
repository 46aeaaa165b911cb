"""Cutting a datagram into fragments (RFC 791 section 2.3 and 3.2, RFC 8200 section 4.5)."""

from __future__ import annotations

from stack.codec.checksum import internet_checksum

_COPIED = 0x80  # the option is copied into every fragment, RFC 791 section 3.1
_MORE = 0x2000
_OFFSET = 0x1FFF


def fragment_ipv4(datagram: bytes, mtu: int) -> list[bytes]:
    """The fragments, each a datagram of at most `mtu` octets, of an IPv4 datagram (which may be a fragment itself)."""
    words = (datagram[0] & 15) * 4
    word = int.from_bytes(datagram[6:8], "big")
    data = datagram[words : int.from_bytes(datagram[2:4], "big")]
    head, rest = datagram[:words], datagram[:20] + _copied_options(datagram[20:words])
    fragments = []
    at = 0
    while at < len(data):
        room = (mtu - len(head)) // 8 * 8
        if room <= 0:
            raise ValueError(f"mtu is {mtu}; expected room for a header of {len(head)} octets and 8 more")
        last = at + room >= len(data)
        part = data[at : at + room]
        place = ((word & _OFFSET) + at // 8) | (word & ~_OFFSET if last else (word | _MORE) & ~_OFFSET)
        fragments.append(_ipv4_head(head, len(part), place) + part)
        at += room
        head = rest
    return fragments


def _ipv4_head(head: bytes, size: int, place: int) -> bytes:
    total = (len(head) + size).to_bytes(2, "big")
    first = bytes([0x40 | len(head) // 4])
    made = b"".join((first, head[1:2], total, head[4:6], place.to_bytes(2, "big"), head[8:10], b"\0\0", head[12:]))
    return made[:10] + internet_checksum(made).to_bytes(2, "big") + made[12:]


def _copied_options(options: bytes) -> bytes:
    """The options that every fragment carries, padded to whole words."""
    kept = b""
    at = 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1] if at + 1 < len(options) else 0
        if not (1 if options[at] == 1 else 2) <= size <= len(options) - at:
            break
        if options[at] & _COPIED:
            kept += options[at : at + size]
        at += size
    return kept + bytes(-len(kept) % 4)


def fragment_ipv6(datagram: bytes, unfragmentable: int, next_header_at: int, identification: int, mtu: int) -> list[bytes]:
    """The fragments of an IPv6 datagram, whose first `unfragmentable` octets are repeated in each (RFC 8200 section 4.5).

    The octet at `next_header_at` says what follows the unfragmentable part.
    """
    head, data = datagram[:unfragmentable], datagram[unfragmentable:]
    room = (mtu - len(head) - 8) // 8 * 8
    if room <= 0:
        raise ValueError(f"mtu is {mtu}; expected room for {len(head) + 8} octets of headers and 8 more")
    follows = head[next_header_at]
    head = head[:next_header_at] + b"\x2c" + head[next_header_at + 1 :]
    fragments = []
    for at in range(0, len(data), room):
        part = data[at : at + room]
        more = at + room < len(data)
        extension = bytes([follows, 0]) + (at | more).to_bytes(2, "big") + identification.to_bytes(4, "big")
        length = (len(head) - 40 + 8 + len(part)).to_bytes(2, "big")
        fragments.append(head[:4] + length + head[6:] + extension + part)
    return fragments
