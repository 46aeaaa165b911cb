"""Info lines of the link layer: Ethernet frames that carry nothing we know, ARP (RFC 826, RFC 5227)."""

from __future__ import annotations

from stack.base.address import MAC
from stack.link.formats.arp import ARP, REPLY, REQUEST
from stack.link.formats.capture_types import LinuxCooked, LinuxCookedV2, Loopback, Null
from stack.link.formats.ethernet import LLC, SNAP, Ethernet
from stack.link.formats.vlan import VLAN
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


@speaks(VLAN)
def tag(about: About) -> Info:
    """A tagged frame that carries nothing we know."""
    header: VLAN = about.header
    line = f"PRI: {header.priority}  DEI: {int(header.drop_eligible)}  ID: {header.identifier}"
    return Info("VLAN", line, "other", f"VLAN {header.identifier}")


@speaks(LLC, SNAP)
def control(about: About) -> Info:
    """An 802.3 frame."""
    header: LLC = about.below(LLC) or about.header
    names = header.fields["destination"], header.fields["source"]
    line = f"DSAP {names[0].show(header.destination)}, SSAP {names[1].show(header.source)}"
    if isinstance(about.header, SNAP):
        line = f"SNAP organization 0x{about.header.organization:06x}, type 0x{about.header.type:04x}"
    return Info("LLC", line, "other", line)


@speaks(LinuxCooked, LinuxCookedV2)
def cooked(about: About) -> Info:
    """A frame from any Linux interface, by its type alone."""
    address = about.header.address[: about.header.address_length].hex(":")
    line = f"Linux cooked, type {about.header.fields['type'].show(about.header.type)}"
    return Info(f"0x{about.header.type:04x}", line, "other", line, (address, ""))


@speaks(Null, Loopback)
def loopback(about: About) -> Info:
    """A frame of a loopback interface, by its family alone."""
    return Info("NULL", f"family {about.header.fields['family'].show(about.header.family)}", "other")


def mac(address: MAC) -> str:
    """A MAC address, the one of everybody as a word."""
    return "Broadcast" if address == MAC.BROADCAST else str(address)
