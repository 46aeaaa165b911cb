"""Packets of every format with seeded values, made twice: by this package and by scapy."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import scapy.contrib.igmp as igmp
import scapy.contrib.igmpv3 as igmpv3
import scapy.layers.inet as inet
import scapy.layers.inet6 as inet6
import scapy.layers.ipsec as ipsec
import scapy.layers.l2 as l2

from stack.base.address import MAC, IPv4Address, IPv6Address
from stack.codec.packet import Packet
from stack.ip.formats import extensions, icmp, icmpv6, ipv6_options, mld, nd, nd_options
from stack.ip.formats import igmp as our_igmp
from stack.ip.formats import options as ip_options
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats import capture_types
from stack.link.formats.arp import ARP
from stack.link.formats.ethernet import LLC, SNAP, Ethernet
from stack.link.formats.vlan import VLAN
from stack.tcp.formats import options as tcp_options
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

Pair = tuple[Any, Any]


class Draw(random.Random):
    """Values of all kinds from one seed."""

    def bits(self, count: int) -> int:
        return self.getrandbits(count)

    def text(self, most: int = 40) -> bytes:
        return self.randbytes(self.randrange(most))

    def four(self) -> str:
        return str(IPv4Address(self.bits(32)))

    def six(self) -> str:
        return str(IPv6Address(self.bits(128)))

    def mac(self) -> str:
        return str(MAC(self.bits(48)))


def ipv4(d: Draw) -> Pair:
    source, target, dscp, ecn, ident, ttl = d.four(), d.four(), d.bits(6), d.bits(2), d.bits(16), d.bits(8)
    df, mf = bool(d.bits(1)), bool(d.bits(1))
    return (
        IPv4(dscp=dscp, ecn=ecn, identification=ident, dont_fragment=df, more_fragments=mf, time_to_live=ttl, source=source, destination=target),
        inet.IP(tos=dscp << 2 | ecn, id=ident, flags="DF" * df + "MF" * mf if not (df and mf) else "DF+MF", ttl=ttl, src=source, dst=target, options=[]),
    )


def ipv6(d: Draw) -> Pair:
    source, target, dscp, ecn, flow, hops = d.six(), d.six(), d.bits(6), d.bits(2), d.bits(20), d.bits(8)
    return (
        IPv6(dscp=dscp, ecn=ecn, flow_label=flow, hop_limit=hops, source=source, destination=target),
        inet6.IPv6(tc=dscp << 2 | ecn, fl=flow, hlim=hops, src=source, dst=target),
    )


def network(d: Draw) -> Pair:
    return d.choice((ipv4, ipv6))(d)


def over(outer: Pair, *inner: Pair) -> Pair:
    ours, theirs = outer
    for our_part, their_part in inner:
        ours, theirs = ours / our_part, theirs / their_part
    return ours, theirs


def udp(d: Draw) -> Pair:
    ports, text = (d.randrange(1024, 5000), d.randrange(6000, 9000)), d.text()
    return over(network(d), (UDP(*ports), inet.UDP(sport=ports[0], dport=ports[1])), (text, text))


def tcp_plain(d: Draw) -> Pair:
    ports, numbers, flags, window, urgent, text = (d.bits(16) | 1024, 9), (d.bits(32), d.bits(32)), d.bits(9), d.bits(16), d.bits(16), d.text(1500)
    return over(
        network(d),
        (
            TCP(*ports, *numbers, flags=flags, window=window, urgent_pointer=urgent),  # type: ignore[call-arg]
            inet.TCP(sport=ports[0], dport=9, seq=numbers[0], ack=numbers[1], flags=flags, window=window, urgptr=urgent),
        ),
        (text, text),
    )


def tcp_with_options(d: Draw) -> Pair:
    o = tcp_options
    mss, scale, stamps, edges, timeout = d.bits(16), d.bits(8), (d.bits(32), d.bits(32)), [d.bits(32) for _ in range(4)], d.bits(15)
    digest, cookie, junk = d.randbytes(16), d.randbytes(8), d.randbytes(3)
    choices: list[Pair] = [
        (o.MSS(mss), ("MSS", mss)), (o.NoOperation(), ("NOP", None)), (o.WindowScale(scale), ("WScale", scale)),
        (o.SACKPermitted(), ("SAckOK", b"")), (o.SACK(list(zip(edges[::2], edges[1::2], strict=True))), ("SAck", tuple(edges))),
        (o.Timestamps(*stamps), ("Timestamp", stamps)), (o.MD5Signature(digest), ("MD5", digest)),
        (o.UserTimeout(timeout), ("UTO", timeout)), (o.FastOpenCookie(cookie), ("TFO", (cookie[:4], cookie[4:]))),
        (o.UnknownTCPOption(99, data=junk), (99, junk)), (o.EndOfOptions(), ("EOL", None)),
    ]  # fmt: skip
    some = d.sample(choices[:-1], 2) + d.sample(choices[-2:], 1)
    ours = o.TCPOptions([one for one, _ in some])
    theirs = [(int.from_bytes(v[0], "big"), int.from_bytes(v[1], "big")) if k == "TFO" else v for _, (k, v) in some]
    pairs = [(k, v) for (_, (k, _)), v in zip(some, theirs, strict=True)]
    return over(network(d), (TCP(1025, 9, options=ours), inet.TCP(sport=1025, dport=9, seq=0, flags=0, window=65535, options=pairs)))


def ipv4_options(d: Draw) -> Pair:
    ours, theirs = ipv4(d)
    route = [d.four() for _ in range(2)]
    alert, stamps = d.bits(16), [d.bits(32) for _ in range(2)]
    word = b"".join(one.to_bytes(4, "big") for one in stamps)
    mine: Any
    other: Any
    mine, other = d.choice([
        ([ip_options.RecordRoute(ip_options.Route(route))], [inet.IPOption_RR(pointer=4, routers=route)]),
        ([ip_options.LooseSourceRoute(ip_options.Route(route))], [inet.IPOption_LSRR(pointer=4, routers=route)]),
        ([ip_options.StrictSourceRoute(ip_options.Route(route))], [inet.IPOption_SSRR(pointer=4, routers=route)]),
        ([ip_options.RouterAlert(alert)], [inet.IPOption_Router_Alert(alert=alert)]),
        (
            [ip_options.InternetTimestamp(word[:4], pointer=9, overflow=3), ip_options.NoIPv4Operation()],
            [inet.IPOption_Timestamp(pointer=9, oflw=3, flg=0, timestamp=stamps[0]), inet.IPOption_NOP()],
        ),
        ([ip_options.UnknownIPv4Option(0x99, data=word)], [inet.IPOption(b"\x99\x0a" + word)]),
    ])  # fmt: skip
    text = d.text()
    theirs.options = other
    return over((ours.replace(options=ip_options.IPv4Options(mine)), theirs), (UDP(7, 9), inet.UDP(sport=7, dport=9)), (text, text))


def tunnel(d: Draw) -> Pair:
    return over(ipv4(d), ipv6(d), ipv4(d), (UDP(7, 9), inet.UDP(sport=7, dport=9)))


def extension_headers(d: Draw) -> Pair:
    e, stops, left, number = extensions, [d.six() for _ in range(2)], d.randrange(3), d.bits(32)
    addresses = b"".join(IPv6Address(one) for one in stops)
    routing: Pair = d.choice([
        (e.Routing(0, left, bytes(4) + addresses), inet6.IPv6ExtHdrRouting(type=0, segleft=left, addresses=stops)),
        (e.Routing(4, left, b"\1\0\0\0" + addresses), inet6.IPv6ExtHdrSegmentRouting(segleft=left, lastentry=1, addresses=stops)),
    ])  # fmt: skip
    parts: list[Pair] = [
        (e.HopByHop(ipv6_options.IPv6Options([ipv6_options.IPv6RouterAlert(0)])), inet6.IPv6ExtHdrHopByHop(options=[inet6.RouterAlert(value=0), inet6.PadN(optdata=b"")])),
        routing,
        (e.Fragment(identification=number), inet6.IPv6ExtHdrFragment(id=number)),
        (e.DestinationOptions(ipv6_options.IPv6Options([ipv6_options.PadN(bytes(2)), ipv6_options.HomeAddress(stops[0])])), inet6.IPv6ExtHdrDestOpt(options=[inet6.HAO(hoa=stops[0])])),
    ]  # fmt: skip
    kept = [one for one in parts if d.bits(1)]
    text = d.text()
    return over(ipv6(d), *kept, (UDP(7, 9), inet.UDP(sport=7, dport=9)), (text, text))


def authenticated(d: Draw) -> Pair:
    """What AH protects is bytes here: scapy computes no checksums through it."""
    number, check, text = d.bits(32), d.randbytes(12), d.text()
    ours = extensions.AH(next_header=253, parameters_index=number, sequence=7, check_value=check)
    return over(network(d), (ours, ipsec.AH(nh=253, payloadlen=4, spi=number, seq=7, icv=check)), (text, text))


def icmp_messages(d: Draw) -> Pair:
    ident, seq, mtu, gateway, text = d.bits(16), d.bits(16), d.bits(16), d.four(), d.text()
    quoted = over(ipv4(d), (UDP(7, 9), inet.UDP(sport=7, dport=9)), (text, text))
    message: tuple[Pair, Pair] = d.choice([
        ((icmp.ICMP.echo(ident, seq), inet.ICMP(type=8, id=ident, seq=seq)), (text, text)),
        ((icmp.ICMP.echo(ident, seq, reply=True), inet.ICMP(type=0, id=ident, seq=seq)), (text, text)),
        ((icmp.ICMP.fragmentation_needed(mtu), inet.ICMP(type=3, code=4, nexthopmtu=mtu)), quoted),
        ((icmp.ICMP(icmp.UNREACHABLE, icmp.PORT), inet.ICMP(type=3, code=3)), quoted),
        ((icmp.ICMP(icmp.TIME_EXCEEDED), inet.ICMP(type=11)), quoted),
        ((icmp.ICMP(icmp.REDIRECT, 1, rest=IPv4Address(gateway)), inet.ICMP(type=5, code=1, gw=gateway)), quoted),
        ((icmp.ICMP(icmp.PARAMETER_PROBLEM, rest=b"\x09\0\0\0"), inet.ICMP(type=12, ptr=9)), quoted),
    ])  # fmt: skip
    return over(ipv4(d), *message)


def icmpv6_messages(d: Draw) -> Pair:
    ident, seq, mtu, text = d.bits(16), d.bits(16), d.bits(32), d.text()
    quoted = over(ipv6(d), (UDP(7, 9), inet.UDP(sport=7, dport=9)), (text, text))
    message: tuple[Pair, Pair] = d.choice([
        ((icmpv6.ICMPv6.echo(ident, seq), inet6.ICMPv6EchoRequest(id=ident, seq=seq)), (text, text)),
        ((icmpv6.ICMPv6.echo(ident, seq, reply=True), inet6.ICMPv6EchoReply(id=ident, seq=seq)), (text, text)),
        ((icmpv6.ICMPv6.packet_too_big(mtu), inet6.ICMPv6PacketTooBig(mtu=mtu)), quoted),
        ((icmpv6.ICMPv6(1, 4), inet6.ICMPv6DestUnreach(code=4)), quoted),
        ((icmpv6.ICMPv6(3), inet6.ICMPv6TimeExceeded()), quoted),
        ((icmpv6.ICMPv6(4, rest=b"\0\0\0\6"), inet6.ICMPv6ParamProblem(ptr=6)), quoted),
    ])  # fmt: skip
    return over(ipv6(d), *message)


def neighbor_discovery(d: Draw) -> Pair:
    o, target, mac, life, text = nd_options, d.six(), d.mac(), d.bits(16), d.randbytes(40)
    source: Pair = (o.SourceLinkLayer(MAC(mac)), inet6.ICMPv6NDOptSrcLLAddr(lladdr=mac))
    flags = [bool(d.bits(1)) for _ in range(3)]
    prefix = (
        o.PrefixInformation(60, False, True, False, 9, 8, IPv6Address(target)),
        inet6.ICMPv6NDOptPrefixInfo(prefixlen=60, L=0, A=1, R=0, validlifetime=9, preferredlifetime=8, prefix=target),
    )
    more: list[Pair] = [
        source, prefix, (o.MTU(1400), inet6.ICMPv6NDOptMTU(mtu=1400)), (o.TargetLinkLayer(MAC(mac)), inet6.ICMPv6NDOptDstLLAddr(lladdr=mac)),
        (o.RecursiveDNSServer(7, o.Addresses([target])), inet6.ICMPv6NDOptRDNSS(lifetime=7, dns=[target])),
        (o.RedirectedHeader(text), inet6.ICMPv6NDOptRedirectedHdr(pkt=text)),
    ]  # fmt: skip
    row = d.sample(more, d.randrange(1, 4))
    ours = o.NDOptions([one for one, _ in row])
    theirs: Any = row[0][1]
    for _, one in row[1:]:
        theirs = theirs / one
    kinds: list[Pair] = [
        (icmpv6.ICMPv6() / nd.RouterSolicitation(ours), inet6.ICMPv6ND_RS()),
        (
            icmpv6.ICMPv6.router(64, life, managed=flags[0], other=flags[1]) / nd.RouterAdvertisement(5, 6, ours),
            inet6.ICMPv6ND_RA(chlim=64, M=flags[0], O=flags[1], routerlifetime=life, reachabletime=5, retranstimer=6, prf=0),
        ),
        (icmpv6.ICMPv6() / nd.NeighborSolicitation(IPv6Address(target), ours), inet6.ICMPv6ND_NS(tgt=target)),
        (
            icmpv6.ICMPv6.neighbor(router=flags[0], solicited=flags[1], override=flags[2]) / nd.NeighborAdvertisement(IPv6Address(target), ours),
            inet6.ICMPv6ND_NA(R=flags[0], S=flags[1], O=flags[2], tgt=target),
        ),
        (icmpv6.ICMPv6() / nd.Redirect(IPv6Address(target), IPv6Address(1), ours), inet6.ICMPv6ND_Redirect(tgt=target, dst="::1")),
    ]
    mine, other = d.choice(kinds)
    return over(ipv6(d), (mine, other / theirs))


def listeners(d: Draw) -> Pair:
    group, source, delay = d.six(), d.six(), d.bits(15)
    rest = delay.to_bytes(2, "big") + bytes(2)
    sources = nd_options.Addresses([source])
    kinds: list[Pair] = [
        (icmpv6.ICMPv6(130, rest=rest) / mld.MulticastListenerQuery(IPv6Address(group)), inet6.ICMPv6MLQuery(mladdr=group, mrd=delay)),
        (icmpv6.ICMPv6(131) / mld.MulticastListenerReport(IPv6Address(group)), inet6.ICMPv6MLReport(mladdr=group)),
        (icmpv6.ICMPv6(132) / mld.MulticastListenerReport(IPv6Address(group)), inet6.ICMPv6MLDone(mladdr=group)),
        (
            icmpv6.ICMPv6(130, rest=rest) / mld.MulticastListenerQuery(IPv6Address(group)) / mld.MulticastQuerySources(True, 3, 9, sources),
            inet6.ICMPv6MLQuery2(mladdr=group, mrd=delay, S=1, QRV=3, QQIC=9, sources=[source]),
        ),
        (
            icmpv6.ICMPv6(rest=b"\0\0\0\1") / mld.MulticastListenerReportV2(mld.GroupRecords([mld.GroupRecord(4, IPv6Address(group), sources)])),
            inet6.ICMPv6MLReport2(records=[inet6.ICMPv6MLDMultAddrRec(rtype=4, dst=group, sources=[source])]),
        ),
    ]
    return over(ipv6(d), d.choice(kinds))


def groups(d: Draw) -> Pair:
    group, sources, text = d.four(), [d.four() for _ in range(2)], d.bits(8)
    g = our_igmp
    kinds: list[Pair] = [
        (g.IGMP(g.QUERY, text, group=IPv4Address(group)), igmp.IGMP(type=0x11, mrcode=text, gaddr=group)),
        (g.IGMP(g.REPORT_V2, group=IPv4Address(group)), igmp.IGMP(type=0x16, mrcode=0, gaddr=group)),
        (g.IGMP(g.LEAVE, group=IPv4Address(group)), igmp.IGMP(type=0x17, mrcode=0, gaddr=group)),
        (
            g.IGMP(g.QUERY, 5, group=IPv4Address(group)) / g.GroupQuerySources(True, 3, 9, ip_options.Route(sources)),
            igmpv3.IGMPv3mq(mrcode=5, gaddr=group, s=1, qrv=3, qqic=9, srcaddrs=sources),
        ),
        (
            g.IGMP(g.REPORT_V3, group=IPv4Address(1)) / g.GroupReport(g.IPv4GroupRecords([g.IPv4GroupRecord(4, IPv4Address(group), ip_options.Route(sources))])),
            igmpv3.IGMPv3mr(records=[igmpv3.IGMPv3gr(rtype=4, maddr=group, srcaddrs=sources)]),
        ),
    ]
    ours, theirs = ipv4(d)
    mine, other = d.choice(kinds)
    theirs.proto = 2  # put together as bytes: scapy gives some of these messages a router alert of its own accord
    return over((ours, theirs), (mine, bytes(other)))


def arp(d: Draw) -> Pair:
    macs, addresses, operation = (d.mac(), d.mac()), (d.four(), d.four()), d.randrange(1, 5)
    ours = ARP(operation=operation, sender_hardware=macs[0], sender_protocol=addresses[0], target_hardware=macs[1], target_protocol=addresses[1])
    return ours, l2.ARP(op=operation, hwsrc=macs[0], psrc=addresses[0], hwdst=macs[1], pdst=addresses[1])


def framed(d: Draw, inner: Pair) -> Pair:
    """The same in an Ethernet frame, with tags or not."""
    macs, tag, priority = (d.mac(), d.mac()), d.bits(12), d.bits(3)
    ethernet: Pair = (Ethernet(MAC(macs[0]), MAC(macs[1])), l2.Ether(dst=macs[0], src=macs[1]))
    vlan: Pair = (VLAN(priority, True, tag), l2.Dot1Q(prio=priority, dei=1, vlan=tag))
    stacked: Pair = (Ethernet(MAC(macs[0]), MAC(macs[1]), 0x88A8), l2.Ether(dst=macs[0], src=macs[1], type=0x88A8))
    return over(*d.choice([(ethernet,), (ethernet, vlan), (ethernet, vlan, vlan), (stacked, vlan)]), inner)


def snap(d: Draw) -> Pair:
    text = d.text()
    macs = (d.mac(), d.mac())
    outer = (Ethernet(MAC(macs[0]), MAC(macs[1])) / LLC() / SNAP(), l2.Dot3(dst=macs[0], src=macs[1]) / l2.LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / l2.SNAP())
    return over(outer, ipv4(d), (UDP(7, 9), inet.UDP(sport=7, dport=9)), (text, text))


def cooked(d: Draw) -> Pair:
    number, address = d.bits(16), d.randbytes(8)
    outer: Pair = d.choice([
        (capture_types.LinuxCooked(4, number, 8, address), l2.CookedLinux(pkttype=4, lladdrtype=number, lladdrlen=8, src=address)),
        (
            capture_types.LinuxCookedV2(interface=number, hardware_type=1, packet_type=3, address=address),
            l2.CookedLinuxV2(ifindex=number, lladdrtype=1, pkttype=3, lladdrlen=6, src=address),
        ),
        (capture_types.Null(), l2.Loopback(type=2)),
    ])  # fmt: skip
    ours, theirs = over(outer, ipv4(d), (UDP(7, 9), inet.UDP(sport=7, dport=9)))
    return ours, theirs


FRAMED: list[Callable[[Draw], Pair]] = [
    udp, tcp_plain, tcp_with_options, ipv4_options, tunnel, extension_headers, authenticated, icmp_messages, icmpv6_messages,
    neighbor_discovery, listeners, groups, arp,
]  # fmt: skip


def packet_of(ours: Any) -> Packet:
    return ours if isinstance(ours, Packet) else Packet(ours)
