"""Decode and encode beside dpkt and scapy, in one process, on one generated trace: prints ratios.

Decode one: from a frame's octets to its transport header, `Packet.parse(data)[TCP]`, whose fields are looked at; ours
passes over the headers before it. Decode all: every header made, `Packet.parse(data).headers`, and fields of each looked
at. The others read the same frame in their one way. Encode: from values to a frame with right lengths and checksums.
Each round times all three; the best round of each counts.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import dpkt
from scapy.layers.inet import IP as ScapyIP  # noqa: N811
from scapy.layers.inet import TCP as ScapyTCP  # noqa: N811
from scapy.layers.inet import UDP as ScapyUDP  # noqa: N811
from scapy.layers.inet6 import IPv6 as ScapyIPv6
from scapy.layers.l2 import Ether

from stack.base.address import MAC, Address, IPv4Address, IPv6Address
from stack.codec.fields import Sealed
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4, IPv4Options
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats.ethernet import Ethernet
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

FRAMES = 400
ROUNDS = 15
NO_OPTIONS = IPv4Options()
TARGETS = {"decode one": (3.0, 50.0), "decode all": (2.3, 33.0), "encode": (4.0, 60.0)}  # × dpkt, × scapy
KINDS = ("TCP over IPv4", "TCP over IPv6", "UDP")


@dataclass
class Values:
    """What one frame says. Addresses and options are prepared as each library likes them, outside of the time."""

    kind: str
    macs: list[Any]
    addresses: list[Any]
    ports: tuple[int, int]
    numbers: tuple[int, int]
    options: Any
    payload: bytes


def trace(kind: str, library: int) -> list[Values]:
    """Values of deterministic frames: empty ones, full ones, some of other sizes. 0: ours, 1: dpkt, 2: scapy."""
    draw = random.Random(kind).getrandbits
    address: type[Address] = IPv6Address if "IPv6" in kind else IPv4Address
    prepare: Callable[[Address], Any] = (lambda one: type(one).of[bytes(one)], bytes, str)[library]
    rows = []
    for number in range(FRAMES):
        size = (0, 1448, 1448, draw(10))[number % 4]
        stamps = draw(32), draw(32)
        options = b"\1\1\x08\n" + b"".join(one.to_bytes(4, "big") for one in stamps)
        rows.append(
            Values(
                kind,
                [prepare(MAC(draw(48) & ~(1 << 40))) for _ in range(2)],
                [prepare(address(draw(24))) for _ in range(2)],
                (draw(16), draw(14)),
                (draw(32), draw(32)),
                (TCPOptions(options), options, [("NOP", None), ("NOP", None), ("Timestamp", stamps)])[library],
                draw(8 * size + 1).to_bytes(size + 1, "big")[1:],
            )
        )
    return rows


def ours(row: Values) -> bytes:
    """A frame as the engines make it: from complete headers."""
    six = row.kind == "TCP over IPv6"
    protocol = 17 if row.kind == "UDP" else 6
    ethernet = Ethernet.of(*row.macs, 0x86DD if six else 0x0800)
    network: Any
    if six:
        network = IPv6.of(6, 0, 0, 0, Sealed, protocol, 64, *row.addresses)
    else:
        network = IPv4.of(4, Sealed, 0, 0, Sealed, row.ports[0], 2, 0, 64, protocol, Sealed, *row.addresses, NO_OPTIONS)
    transport: Any
    if protocol == 17:
        transport = UDP.of(*row.ports, Sealed, Sealed)
    else:
        transport = TCP.of(*row.ports, *row.numbers, Sealed, 0, 0x18, 501, Sealed, 0, row.options)
    return bytes(Packet.of((ethernet, network, transport), row.payload))


def dpkts(row: Values) -> bytes:
    """The same in dpkt."""
    six = row.kind == "TCP over IPv6"
    (source, destination), (sequence, acknowledgment) = row.ports, row.numbers
    transport: Any
    if row.kind == "UDP":
        transport = dpkt.udp.UDP(sport=source, dport=destination, ulen=8 + len(row.payload), data=row.payload)
    else:
        transport = dpkt.tcp.TCP(
            sport=source, dport=destination, seq=sequence, ack=acknowledgment, off=8, flags=0x18, win=501,
            opts=row.options, data=row.payload,
        )  # fmt: skip
    network: Any
    if six:
        network = dpkt.ip6.IP6(
            dst=row.addresses[1], src=row.addresses[0], nxt=6, hlim=64, plen=32 + len(row.payload), data=transport
        )
        network.extension_hdrs = {}
    else:
        network = dpkt.ip.IP(
            dst=row.addresses[1], src=row.addresses[0], p=17 if row.kind == "UDP" else 6, id=source, df=1, ttl=64,
            len=len(transport) + 20, data=transport,
        )  # fmt: skip
    return bytes(
        dpkt.ethernet.Ethernet(dst=row.macs[0], src=row.macs[1], type=0x86DD if six else 0x0800, data=network)
    )


def scapys(row: Values) -> bytes:
    """The same in scapy."""
    (source, destination), (sequence, acknowledgment) = row.ports, row.numbers
    network: Any
    if row.kind == "TCP over IPv6":
        network = ScapyIPv6(src=row.addresses[0], dst=row.addresses[1], hlim=64)
    else:
        network = ScapyIP(src=row.addresses[0], dst=row.addresses[1], id=source, flags="DF")
    if row.kind == "UDP":
        transport = ScapyUDP(sport=source, dport=destination)
    else:
        transport = ScapyTCP(
            sport=source, dport=destination, seq=sequence, ack=acknowledgment, flags="PA", window=501, options=row.options
        )
    return bytes(Ether(dst=row.macs[0], src=row.macs[1]) / network / transport / row.payload)


def look_ours_tcp(data: bytes) -> Any:
    tcp = Packet.parse(data)[TCP]
    return tcp.source, tcp.sequence, tcp.acknowledgment, tcp.window


def look_ours_udp(data: bytes) -> Any:
    udp = Packet.parse(data)[UDP]
    return udp.source, udp.length


def look_dpkt_tcp(data: bytes) -> Any:
    tcp = dpkt.ethernet.Ethernet(data).data.data
    return tcp.sport, tcp.seq, tcp.ack, tcp.win


def look_dpkt_udp(data: bytes) -> Any:
    udp = dpkt.ethernet.Ethernet(data).data.data
    return udp.sport, udp.ulen


def look_scapy_tcp(data: bytes) -> Any:
    tcp = Ether(data)[ScapyTCP]
    return tcp.sport, tcp.seq, tcp.ack, tcp.window


def look_scapy_udp(data: bytes) -> Any:
    udp = Ether(data)[ScapyUDP]
    return udp.sport, udp.len


def look_ours_all(data: bytes) -> Any:
    ethernet, network, transport, *_ = Packet.parse(data).headers
    return ethernet.type, network.destination, transport.source  # type: ignore[attr-defined]


def look_dpkt_all(data: bytes) -> Any:
    ethernet = dpkt.ethernet.Ethernet(data)
    return ethernet.type, ethernet.data.dst, ethernet.data.data.sport


def look_scapy_all(data: bytes) -> Any:
    ethernet = Ether(data)
    return ethernet.type, ethernet.payload.dst, ethernet.payload.payload.sport


LOOKS = {"UDP": (look_ours_udp, look_dpkt_udp, look_scapy_udp), "TCP": (look_ours_tcp, look_dpkt_tcp, look_scapy_tcp)}


def timed(function: Callable[[Any], Any], items: list[Any], share: int = 1) -> float:
    """Seconds per item; `share`: of so many items one is enough."""
    some = items[::share]
    start = perf_counter()
    for item in some:
        function(item)
    return (perf_counter() - start) / len(some)


def race(title: str, contestants: list[tuple[Callable[[Any], Any], list[Any], int]]) -> list[float]:
    """The best time of each contestant, and a line about it."""
    best = [float("inf")] * len(contestants)
    for _ in range(ROUNDS):
        for place, (function, items, share) in enumerate(contestants):
            gc.collect()
            best[place] = min(best[place], timed(function, items, share))
    own, dpkt_time, scapy_time = best
    print(f"{title:28} {1e-3 / own:8.0f} k/s   {dpkt_time / own:5.1f} × dpkt   {scapy_time / own:6.1f} × scapy")
    return best


def main() -> bool:
    """Run everything; whether every floor was reached over the trace as a whole."""
    totals = {name: [0.0] * 3 for name in TARGETS}
    for kind in KINDS:
        rows = [trace(kind, library) for library in range(3)]
        frames = [ours(row) for row in rows[0]]
        assert frames == [dpkts(row) for row in rows[1]], f"{kind}: dpkt makes other bytes"
        assert frames[:8] == [scapys(row) for row in rows[2][:8]], f"{kind}: scapy makes other bytes"
        looks = LOOKS[kind[:3]]
        assert len({looks[library](frames[1]) for library in range(3)}) == 1, f"{kind}: other values are read"
        one = race(f"decode one, {kind}", [(looks[0], frames, 1), (looks[1], frames, 1), (looks[2], frames, 8)])
        every = race(
            f"decode all, {kind}",
            [(look_ours_all, frames, 1), (look_dpkt_all, frames, 1), (look_scapy_all, frames, 8)],
        )
        encode = race(f"encode, {kind}", [(ours, rows[0], 1), (dpkts, rows[1], 1), (scapys, rows[2], 8)])
        for name, times in (("decode one", one), ("decode all", every), ("encode", encode)):
            totals[name] = [total + time for total, time in zip(totals[name], times, strict=True)]
    missed = False
    for name, (own, dpkt_time, scapy_time) in totals.items():
        least_dpkt, least_scapy = TARGETS[name]
        missed |= dpkt_time / own < least_dpkt or scapy_time / own < least_scapy
        print(
            f"{name} together: {dpkt_time / own:.1f} × dpkt (at least {least_dpkt:g}), "
            f"{scapy_time / own:.1f} × scapy (at least {least_scapy:g})"
        )
    return not missed


if __name__ == "__main__":
    sys.exit(not main())
