"""The settings of a host, with Linux's defaults where RFC 1122 and RFC 1812 leave a choice."""

from __future__ import annotations

from dataclasses import dataclass

from stack.host.rate_limit import BURST, PEER_INTERVAL, PER_SECOND
from stack.ip.neighbour import NEIGHBOURS
from stack.ip.reassembly import MEMORY, PER_SOURCE
from stack.udp.ports import DYNAMIC


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Sizes in octets, times in nanoseconds."""

    forwarding: bool = False  # a router
    mss_clamp: bool = False  # which lowers the MSS of the SYNs that it forwards to what its links carry
    time_to_live: int = 64
    multicast_time_to_live: int = 1  # RFC 1112 section 6.1
    answer_echo: bool = True
    ephemeral_ports: range = DYNAMIC
    neighbours: int = NEIGHBOURS  # entries of each neighbour cache
    fragment_memory: int = MEMORY
    fragments_per_source: int = PER_SOURCE  # datagrams that one source may have waiting
    icmp_per_second: int = PER_SECOND
    icmp_burst: int = BURST
    icmp_peer_interval: int = PEER_INTERVAL
    udp_receive_buffer: int = 212_992  # Linux's net.core.rmem_default
    events: int = 1024  # kept between two `take_events`; the counters count all
