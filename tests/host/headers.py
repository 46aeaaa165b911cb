"""Headers made from text in tests: addresses are converted, which the types of their fields do not say."""

from __future__ import annotations

from typing import Any

from stack.ip.formats import ipv4, ipv6, nd, nd_options
from stack.link.formats import arp, ethernet

Ethernet: Any = ethernet.Ethernet
ARP: Any = arp.ARP
IPv4: Any = ipv4.IPv4
IPv6: Any = ipv6.IPv6
NeighborSolicitation: Any = nd.NeighborSolicitation
NeighborAdvertisement: Any = nd.NeighborAdvertisement
PrefixInformation: Any = nd_options.PrefixInformation
