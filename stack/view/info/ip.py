"""Info lines of IP itself: fragments, and datagrams that carry nothing we know (RFC 791, RFC 8200)."""

from __future__ import annotations

from stack.ip.formats.extensions import AH, DestinationOptions, Fragment, HopByHop, Routing
from stack.ip.formats.ipv4 import PROTOCOLS, IPv4
from stack.ip.formats.ipv6 import NEXT_HEADERS, IPv6
from stack.view.info.about import About, Info, speaks


@speaks(IPv4)
def datagram(about: About) -> Info:
    """`Fragmented IP protocol (proto=UDP 17, off=1480, ID=0001)`, or the protocol's name."""
    header: IPv4 = about.header
    name = PROTOCOLS.get(header.protocol, "Unknown")
    if header.more_fragments or header.fragment_offset:
        offset = 8 * header.fragment_offset
        line = f"Fragmented IP protocol (proto={name} {header.protocol}, off={offset}, ID={header.identification:04x})"
        more = ", more follow" if header.more_fragments else ", last"
        return Info("IPv4", line, "other", f"Fragment {offset}–{offset + about.length} of {header.identification:04x}{more}")
    return Info("IPv4", f"{name} ({header.protocol})", "other", f"IPv4 {name} Len={about.length}")


@speaks(IPv6)
def datagram6(about: About) -> Info:
    """The protocol's name."""
    header: IPv6 = about.header
    name = NEXT_HEADERS.get(header.next_header, "Unknown")
    if header.next_header == 59:
        return Info("IPv6", "IPv6 no next header", "other", "no next header")
    return Info("IPv6", f"{name} ({header.next_header})", "other", f"IPv6 {name} Len={about.length}")


@speaks(Fragment)
def fragment(about: About) -> Info | None:
    """`IPv6 fragment (off=1448 more=y ident=0x00000001 nxt=17)`; a whole datagram's header says nothing."""
    header: Fragment = about.header
    offset, more = 8 * header.fragment_offset, header.more_fragments
    ident = f"0x{header.identification:08x}"
    line = f"IPv6 fragment (off={offset} more={'y' if more else 'n'} ident={ident} nxt={header.next_header})"
    short = f"Fragment {offset}–{offset + about.length} of {ident}{', more follow' if more else ', last'}"
    return Info("IPv6", line, "other", short)


@speaks(HopByHop, DestinationOptions, Routing, AH)
def extension(about: About) -> Info | None:
    """What follows says more, or else the IPv6 header does."""
    return None
