"""Info lines of the link layer: Ethernet frames that carry nothing we know, ARP (RFC 826, RFC 5227)."""

from __future__ import annotations

from stack.base.address import MAC
from stack.link.formats.arp import ARP, REPLY, REQUEST
from stack.link.formats.ethernet import Ethernet
from stack.view.info.about import About, Info, speaks


@speaks(Ethernet)
def frame(about: About) -> Info:
    """A frame by its type alone."""
    header: Ethernet = about.header
    return Info(f"0x{header.type:04x}", f"Ethernet II, {about.length} octets", "other", f"type 0x{header.type:04x}")


@speaks(ARP)
def arp(about: About) -> Info:
    """`Who has 10.0.0.2? Tell 10.0.0.1`, `10.0.0.2 is at 02:00:00:00:00:02`, probes and announcements."""
    header: ARP = about.header
    ends = (mac(header.sender_hardware), mac(about.headers[0].destination if isinstance(about.headers[0], Ethernet) else header.target_hardware))
    sender, target = header.sender_protocol, header.target_protocol
    if sender == target and header.operation in (REQUEST, REPLY):
        line = f"Gratuitous ARP for {sender} ({'Request' if header.operation == REQUEST else 'Reply'})"
        if header.operation == REQUEST and header.target_hardware == MAC(0):
            line = f"ARP Announcement for {sender}"
    elif header.operation == REQUEST:
        asker = "(ARP Probe)" if not any(sender) else f"Tell {sender}"
        line = f"Who has {target}? {asker}"
    elif header.operation == REPLY:
        line = f"{sender} is at {header.sender_hardware}"
    else:
        line = f"ARP operation {header.fields['operation'].show(header.operation)}"
    return Info("ARP", line, "arp", line, ends)


def mac(address: MAC) -> str:
    """A MAC address, the one of everybody as a word."""
    return "Broadcast" if address == MAC.BROADCAST else str(address)
