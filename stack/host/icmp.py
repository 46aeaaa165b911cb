"""ICMP on a host: echo, errors sent and errors taken (RFC 792, RFC 1122 section 3.2.2, RFC 1812 section 4.3)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.checksum import ones_sum
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.control import Control
from stack.host.udp_endpoint import ErrorReport
from stack.host.way import Way
from stack.ip.formats.icmp import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERRORS,
    FRAGMENTATION_NEEDED,
    ICMP,
    PARAMETER_PROBLEM,
    PROTOCOL,
    TIME_EXCEEDED,
    UNREACHABLE,
)
from stack.ip.formats.ipv4 import IPv4
from stack.ip.path_mtu import plateau

if TYPE_CHECKING:
    from stack.link.interface import Interface

_QUOTED = 576 - 20 - 8  # RFC 1812 section 4.3.2.3
_INTERNETWORK_CONTROL = 0xC0  # the precedence of errors, RFC 1812 section 4.3.2.5
# code of an unreachable → errno, and whether it is hard (Linux's icmp_err_convert)
_MEANING = {
    0: (errno.ENETUNREACH, False), 1: (errno.EHOSTUNREACH, False), 2: (errno.ENOPROTOOPT, True),
    3: (errno.ECONNREFUSED, True), 4: (errno.EMSGSIZE, False), 5: (errno.EOPNOTSUPP, False),
    6: (errno.ENETUNREACH, True), 7: (errno.EHOSTDOWN, True), 8: (errno.EHOSTUNREACH, True),
    9: (errno.ENETUNREACH, True), 10: (errno.EHOSTUNREACH, True), 11: (errno.ENETUNREACH, False),
    12: (errno.EHOSTUNREACH, False), 13: (errno.EHOSTUNREACH, True), 14: (errno.EHOSTUNREACH, True),
    15: (errno.EHOSTUNREACH, True),
}  # fmt: skip
_CAUSES = {
    (UNREACHABLE, 0): "no route to the destination", (UNREACHABLE, 1): "the neighbour does not answer",
    (UNREACHABLE, 2): "no such protocol here", (UNREACHABLE, 3): "no socket on the port",
    (UNREACHABLE, 4): "larger than the next link's MTU, and not to be fragmented",
    (TIME_EXCEEDED, 0): "its time to live ended here", (TIME_EXCEEDED, 1): "fragments are missing",
}  # fmt: skip


class IcmpLayer(Control):
    """The ICMP of one host."""

    def receive(self, ip: Any, data: bytes, at: int, end: int, interface: Interface, packet: Packet) -> None:
        """Take octets `at` to `end` of `data`: an ICMP message."""
        drop = self.host.drop
        try:
            icmp, text = ICMP.decode(data, at, end)
        except WireError:
            drop(DropReason.MALFORMED, packet)
            return
        if ones_sum(data[at:end]):
            drop(DropReason.BAD_CHECKSUM, packet)
        elif icmp.type == ECHO_REQUEST:
            self._answer(ip, icmp, data[text:end], packet)
        elif icmp.type == ECHO_REPLY:
            self.answered(ip, icmp.identifier, icmp.sequence, data[text:end], ip.time_to_live, packet)
        elif icmp.type in (UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM):
            self.quoted(ip.source, icmp, data[text:end], packet)
        else:
            drop(DropReason.UNKNOWN_PROTOCOL, packet)

    def _answer(self, ip: Any, icmp: ICMP, data: bytes, packet: Packet) -> None:
        """Echo reply, to those that asked us alone (RFC 1122 section 3.2.2.6)."""
        if not self.host.settings.answer_echo or self.host.addresses.cast(ip.destination) is not Cast.LOCAL:
            self.host.drop(DropReason.NOT_ACCEPTABLE, packet)
            return
        way = self.way_back(ip)
        if way is None:
            self.host.drop(DropReason.NO_ROUTE, packet)
            return
        reply = ICMP.echo(icmp.identifier, icmp.sequence, reply=True)
        self.host.ipv4.send(way, PROTOCOL, (reply,), data, traffic_class=ip.dscp << 2, cause="echo reply")

    def request(
        self, way: Way, identifier: int, sequence: int, data: bytes, hop_limit: int | None, dont_fragment: bool
    ) -> int:
        """Send an echo request; 0 or an errno."""
        icmp = ICMP.echo(identifier, sequence)
        number, _ = self.host.ipv4.send(
            way, PROTOCOL, (icmp,), data, hop_limit=hop_limit, dont_fragment=dont_fragment, cause="echo request"
        )
        return number

    # Errors that we send

    def unreachable(self, ip: Any, interface: Interface, packet: Packet, code: int) -> None:
        """Destination unreachable: 0 network, 1 host, 2 protocol, 3 port."""
        self._tell(ip, interface, packet, ICMP(UNREACHABLE, code))

    def fragmentation_needed(self, ip: Any, interface: Interface, packet: Packet, mtu: int) -> None:
        """The next link takes `mtu` octets, and the datagram must not be cut (RFC 1191 section 4)."""
        self._tell(ip, interface, packet, ICMP.fragmentation_needed(mtu), limited=False)

    def time_exceeded(self, ip: Any, interface: Interface, packet: Packet, code: int = 0) -> None:
        """0: on the way; 1: in reassembly."""
        self._tell(ip, interface, packet, ICMP(TIME_EXCEEDED, code))

    def _tell(self, ip: Any, interface: Interface, packet: Packet, icmp: ICMP, limited: bool = True) -> None:
        datagram = quotable(packet)
        if ip.fragment_offset or ip.source[0] >= 240 or (ip.source.is_loopback and not interface.loopback):
            return
        words = (datagram[0] & 15) * 4
        if ip.protocol == PROTOCOL and (len(datagram) <= words or datagram[words] in ERRORS):
            return
        if not self.may_tell(ip, interface, packet, limited):
            return
        way = self.way_back(ip)
        if way is not None:
            cause = _CAUSES.get((icmp.type, icmp.code))
            self.host.ipv4.send(
                way, PROTOCOL, (icmp,), datagram[:_QUOTED], traffic_class=_INTERNETWORK_CONTROL, cause=cause
            )

    # Errors that come

    def quoted(self, reporter: IPAddress, icmp: ICMP, datagram: bytes, packet: Packet | None) -> None:
        """An error about `datagram`, which we sent."""
        try:
            inner, at = IPv4.decode(datagram, 0, len(datagram))
        except WireError:
            self.dropped(DropReason.MALFORMED, packet)
            return
        mtu = 0
        if icmp.type == UNREACHABLE:
            number, hard = _MEANING.get(icmp.code, (errno.EHOSTUNREACH, False))
            if icmp.code == FRAGMENTATION_NEEDED:
                mtu = icmp.mtu or plateau(inner.total_length)
        else:
            number, hard = (errno.EPROTO, True) if icmp.type == PARAMETER_PROBLEM else (errno.EHOSTUNREACH, False)
        report = ErrorReport(number, hard, icmp.type, icmp.code, reporter, mtu)
        self.concern(inner.protocol, inner.source, inner.destination, datagram[at:], report, packet)


def quotable(packet: Packet) -> bytes:
    """The IPv4 datagram in a frame, as octets, without padding."""
    data = bytes(packet)
    return data[14 : 14 + int.from_bytes(data[16:18], "big")]
