"""A packet-level TCP/IP emulator: unmodified Python programs over byte-exact networks in virtual time.

    from stack import Network

    net = Network(seed=1)
    client, server = net.host("client"), net.host("server")
    net.link(client, server, rate="10 Mbit", delay="20 ms", loss="1%")

Names are imported when they are first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stack.application.dns.messages import DNS as DNS
    from stack.base.address import MAC as MAC
    from stack.base.address import IPv4Address as IPv4Address
    from stack.base.address import IPv6Address as IPv6Address
    from stack.base.address import ip_address as ip_address
    from stack.base.errors import StackError as StackError
    from stack.base.errors import WireError as WireError
    from stack.base.event import DropReason as DropReason
    from stack.capture.error import CaptureError as CaptureError
    from stack.codec.fields import Sealed as Sealed
    from stack.codec.fields import wire as wire
    from stack.codec.header import Header as Header
    from stack.codec.header import header as header
    from stack.codec.packet import Packet as Packet
    from stack.codec.registry import LinkType as LinkType
    from stack.codec.registry import carried as carried
    from stack.ip.formats.icmp import ICMP as ICMP
    from stack.ip.formats.icmpv6 import ICMPv6 as ICMPv6
    from stack.ip.formats.ipv4 import IPv4 as IPv4
    from stack.ip.formats.ipv6 import IPv6 as IPv6
    from stack.lab.host import Host as Host
    from stack.lab.link import Link as Link
    from stack.lab.network import Network as Network
    from stack.lab.probe import Probe as Probe
    from stack.lab.probe import Unexpected as Unexpected
    from stack.lab.switch import Switch as Switch
    from stack.lab.trace import Trace as Trace
    from stack.link.codel import CoDel as CoDel
    from stack.link.ecn_threshold import EcnThreshold as EcnThreshold
    from stack.link.faults import Corrupt as Corrupt
    from stack.link.faults import Delay as Delay
    from stack.link.faults import Drop as Drop
    from stack.link.faults import Duplicate as Duplicate
    from stack.link.faults import Reorder as Reorder
    from stack.link.formats.arp import ARP as ARP
    from stack.link.formats.ethernet import Ethernet as Ethernet
    from stack.link.formats.vlan import VLAN as VLAN
    from stack.link.red import Red as Red
    from stack.network.deadlock import Deadlock as Deadlock
    from stack.network.program import Program as Program
    from stack.network.program import ProgramExit as ProgramExit
    from stack.tcp.congestion.base import CongestionControl as CongestionControl
    from stack.tcp.formats.options import TCPOptions as TCPOptions
    from stack.tcp.formats.tcp import TCP as TCP
    from stack.tcp.settings import TcpSettings as TcpSettings
    from stack.tcp.tcp_info import TcpInfo as TcpInfo
    from stack.testing.drill.mismatch import Mismatch as Mismatch
    from stack.testing.drill.python import Drill as Drill
    from stack.udp.formats.udp import UDP as UDP
    from stack.view.format import diagram as diagram

__version__ = "0.1.0"

_HOMES = {
    "stack.application.dns.messages": ("DNS",),
    "stack.base.address": ("MAC", "IPv4Address", "IPv6Address", "ip_address"),
    "stack.base.errors": ("StackError", "WireError"),
    "stack.base.event": ("DropReason",),
    "stack.capture.error": ("CaptureError",),
    "stack.codec.fields": ("Sealed", "wire"),
    "stack.codec.header": ("Header", "header"),
    "stack.codec.packet": ("Packet",),
    "stack.codec.registry": ("LinkType", "carried"),
    "stack.ip.formats.icmp": ("ICMP",),
    "stack.ip.formats.icmpv6": ("ICMPv6",),
    "stack.ip.formats.ipv4": ("IPv4",),
    "stack.ip.formats.ipv6": ("IPv6",),
    "stack.lab.host": ("Host",),
    "stack.lab.link": ("Link",),
    "stack.lab.network": ("Network",),
    "stack.lab.probe": ("Probe", "Unexpected"),
    "stack.lab.switch": ("Switch",),
    "stack.lab.trace": ("Trace",),
    "stack.link.codel": ("CoDel",),
    "stack.link.ecn_threshold": ("EcnThreshold",),
    "stack.link.faults": ("Corrupt", "Delay", "Drop", "Duplicate", "Reorder"),
    "stack.link.formats.arp": ("ARP",),
    "stack.link.formats.ethernet": ("Ethernet",),
    "stack.link.formats.vlan": ("VLAN",),
    "stack.link.red": ("Red",),
    "stack.network.deadlock": ("Deadlock",),
    "stack.network.program": ("Program", "ProgramExit"),
    "stack.tcp.congestion.base": ("CongestionControl",),
    "stack.tcp.formats.options": ("TCPOptions",),
    "stack.tcp.formats.tcp": ("TCP",),
    "stack.tcp.settings": ("TcpSettings",),
    "stack.tcp.tcp_info": ("TcpInfo",),
    "stack.testing.drill.mismatch": ("Mismatch",),
    "stack.testing.drill.python": ("Drill",),
    "stack.udp.formats.udp": ("UDP",),
    "stack.view.format": ("diagram",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'stack' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module), name)
    if name == "Network":
        value.extensions["drill"] = _drill
    return value


def _drill(*arguments: Any, **settings: Any) -> Any:
    """`net.drill(host)`: the room that a network's own does not know is loaded when it is first wanted."""
    return import_module("stack.testing.drill.python").Drill(*arguments, **settings)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


if "IPython" in sys.modules:
    import_module("stack.lab.notebook").register()
