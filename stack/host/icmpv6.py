"""ICMPv6 on a host: echo, neighbour discovery handed on, errors sent and taken (RFC 4443, RFC 4861)."""

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
from stack.ip import discovery
from stack.ip.chain import walk
from stack.ip.formats import mld
from stack.ip.formats.icmpv6 import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERRORS,
    PACKET_TOO_BIG,
    PARAMETER_PROBLEM,
    PROTOCOL,
    TIME_EXCEEDED,
    UNREACHABLE,
    ICMPv6,
)
from stack.ip.formats.ipv6 import IPv6
from stack.ip.path_mtu import IPV6_MINIMUM
from stack.link.formats.ethernet import Ethernet

if TYPE_CHECKING:
    from stack.link.interface import Interface

_QUOTED = 1280 - 40 - 8  # RFC 4443 section 2.4 (c)
_MILLISECOND = 1_000_000
# code of an unreachable → errno, and whether it is hard (Linux's icmpv6_err_convert)
_MEANING = {
    0: (errno.ENETUNREACH, False), 1: (errno.EACCES, True), 2: (errno.EHOSTUNREACH, False),
    3: (errno.EHOSTUNREACH, False), 4: (errno.ECONNREFUSED, True), 5: (errno.EACCES, True), 6: (errno.EACCES, True),
}  # fmt: skip
_CAUSES = {
    (UNREACHABLE, 0): "no route to the destination", (UNREACHABLE, 3): "the neighbour does not answer",
    (UNREACHABLE, 4): "no socket on the port", (PACKET_TOO_BIG, 0): "larger than the next link's MTU",
    (TIME_EXCEEDED, 0): "its hop limit ended here", (TIME_EXCEEDED, 1): "fragments are missing",
}  # fmt: skip


class Icmpv6Layer(Control):
    """The ICMPv6 of one host."""

    def receive(self, ip: Any, data: bytes, at: int, end: int, interface: Interface, packet: Packet) -> None:
        """Take octets `at` to `end` of `data`: an ICMPv6 message."""
        host = self.host
        try:
            message, text = ICMPv6.decode(data, at, end)
        except WireError:
            host.drop(DropReason.MALFORMED, packet)
            return
        if (ones_sum(ip.source + ip.destination) + PROTOCOL + end - at + ones_sum(data[at:end])) % 0xFFFF:
            host.drop(DropReason.BAD_CHECKSUM, packet)
        elif message.type == ECHO_REQUEST:
            self._answer(ip, message, data[text:end], packet)
        elif message.type == ECHO_REPLY:
            self.answered(ip, message.identifier, message.sequence, data[text:end], ip.hop_limit, packet)
        elif message.type in ERRORS:
            self.quoted(ip.source, message, data[text:end], packet)
        elif message.type in discovery.MESSAGES:
            attachment = host.attachments[interface]
            reason = attachment.discovery.receive(ip, message, data[text:end], packet[Ethernet], host.now)
            host.timers.arm(attachment.neighbours6)
            if reason is not None:
                host.drop(reason, packet)
        elif message.type in (mld.QUERY, mld.REPORT) and end - text >= 16:
            self._groups(message, mld.MulticastListenerReport.parse(data, text, end), interface)
        else:
            host.drop(DropReason.UNKNOWN_PROTOCOL, packet)

    def _groups(self, message: ICMPv6, told: mld.MulticastListenerReport, interface: Interface) -> None:
        if message.type == mld.QUERY:
            self.host.groups.asked(told.group, int.from_bytes(message.rest[:2], "big") * _MILLISECOND, interface)
        else:
            self.host.groups.heard(told.group, interface)

    def _answer(self, ip: Any, message: ICMPv6, data: bytes, packet: Packet) -> None:
        """Echo reply (RFC 4443 section 4.2), to those that asked us alone."""
        if not self.host.settings.answer_echo or self.host.addresses.cast(ip.destination) is not Cast.LOCAL:
            self.host.drop(DropReason.NOT_ACCEPTABLE, packet)
            return
        way = self.way_back(ip)
        if way is None:
            self.host.drop(DropReason.NO_ROUTE, packet)
            return
        reply = ICMPv6.echo(message.identifier, message.sequence, reply=True)
        self.host.ipv6.send(way, PROTOCOL, (reply,), data, traffic_class=ip.dscp << 2, cause="echo reply")

    def request(
        self, way: Way, identifier: int, sequence: int, data: bytes, hop_limit: int | None, dont_fragment: bool
    ) -> int:
        """Send an echo request; 0 or an errno."""
        message = ICMPv6.echo(identifier, sequence)
        number, _ = self.host.ipv6.send(
            way, PROTOCOL, (message,), data, hop_limit=hop_limit, dont_fragment=dont_fragment, cause="echo request"
        )
        return number

    # Errors that we send

    def unreachable(self, ip: Any, interface: Interface, packet: Packet, code: int) -> None:
        """Destination unreachable: 0 no route, 3 address, 4 port."""
        self._tell(ip, interface, packet, ICMPv6(UNREACHABLE, code))

    def packet_too_big(self, ip: Any, interface: Interface, packet: Packet, mtu: int) -> None:
        """The next link takes `mtu` octets."""
        self._tell(ip, interface, packet, ICMPv6.packet_too_big(mtu), limited=False, to_group=True)

    def time_exceeded(self, ip: Any, interface: Interface, packet: Packet, code: int = 0) -> None:
        """0: on the way; 1: in reassembly."""
        self._tell(ip, interface, packet, ICMPv6(TIME_EXCEEDED, code))

    def parameter_problem(
        self, ip: Any, interface: Interface, packet: Packet, code: int, pointer: int, to_group: bool = False
    ) -> None:
        """The octet at `pointer` of the datagram cannot be processed."""
        message = ICMPv6(PARAMETER_PROBLEM, code, rest=pointer.to_bytes(4, "big"))
        self._tell(ip, interface, packet, message, to_group=to_group)

    def _tell(
        self, ip: Any, interface: Interface, packet: Packet, message: ICMPv6, limited: bool = True, to_group: bool = False
    ) -> None:
        datagram = quotable(packet)
        if ip.source.is_multicast or _is_error(datagram) or not self.may_tell(ip, interface, packet, limited, to_group):
            return
        way = self.way_back(ip)
        if way is not None:
            cause = _CAUSES.get((message.type, message.code))
            self.host.ipv6.send(way, PROTOCOL, (message,), datagram[:_QUOTED], cause=cause)

    # Errors that come

    def quoted(self, reporter: IPAddress, message: ICMPv6, datagram: bytes, packet: Packet | None) -> None:
        """An error about `datagram`, which we sent."""
        try:
            inner, at = IPv6.decode(datagram, 0, len(datagram))
            chain = walk(datagram, at, len(datagram), inner.next_header, 6)
        except WireError:
            self.dropped(DropReason.MALFORMED, packet)
            return
        protocol, at = chain.protocol, chain.at
        if chain.fragment is not None:
            if chain.fragment.fragment_offset:
                self.dropped(DropReason.MALFORMED, packet)
                return
            protocol, at = chain.fragment.next_header, at + 8
        mtu = 0
        if message.type == UNREACHABLE:
            number, hard = _MEANING.get(message.code, (errno.EHOSTUNREACH, False))
        elif message.type == PACKET_TOO_BIG:
            number, hard, mtu = errno.EMSGSIZE, False, message.mtu
            if mtu < IPV6_MINIMUM:  # "it must discard it" (RFC 8201 section 4)
                self.dropped(DropReason.MALFORMED, packet)
                return
        else:
            number, hard = (errno.EPROTO, True) if message.type == PARAMETER_PROBLEM else (errno.EHOSTUNREACH, False)
        report = ErrorReport(number, hard, message.type, message.code, reporter, mtu)
        self.concern(protocol, inner.source, inner.destination, datagram[at:], report, packet)


def quotable(packet: Packet) -> bytes:
    """The IPv6 datagram in a frame, as octets, without padding."""
    data = bytes(packet)
    return data[14 : 54 + int.from_bytes(data[18:20], "big")]


def _is_error(datagram: bytes) -> bool:
    """Is it an ICMPv6 error (or a redirect), about which nobody may be told (RFC 4443 section 2.4 (e.1))?"""
    try:
        chain = walk(datagram, 40, len(datagram), datagram[6], 6)
    except WireError:
        return False
    at, protocol = chain.at, chain.protocol
    if chain.fragment is not None:
        at, protocol = at + 8, chain.fragment.next_header
    return protocol == PROTOCOL and (at >= len(datagram) or datagram[at] < 128 or datagram[at] == 137)
