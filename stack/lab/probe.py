"""A probe: a raw peer of a host, under the control of a test instead of a protocol stack."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address
from stack.base.errors import StackError
from stack.base.quantity import nanoseconds, show_time
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.lab.answering import answer
from stack.link.formats.ethernet import Ethernet
from stack.link.interface import Interface
from stack.network.addressing import global_of
from stack.network.waiting import Source

if TYPE_CHECKING:
    from stack.lab.host import Host
    from stack.lab.network import Network

Pattern = Header | Packet | Callable[[Packet], Any]


class Unexpected(AssertionError):
    """What a probe expected did not come. The text lists what came instead."""


class Probe(Source):
    """Sits at the other end of a link of its own to the host. Made by `Network.probe`.

    It answers ARP and neighbour solicitations for its own addresses and for those it has sent from (`answers=False`:
    not even these); everything else it keeps until `expect` or `receive` asks.
    """

    def __init__(self, network: Network, host: Host, name: str, *, answers: bool = True, **settings: Any) -> None:
        super().__init__()
        self.network = network
        self.host = host
        self.answers = answers
        self.name = name
        self.interface = Interface("eth0", network.topology.mac(), owner=self.name)
        self.interface.handler = _Handler(self)
        self.link = network.join(host.new_interface(), self.interface, **settings)
        self._used: dict[IPAddress, None] = {}
        self._arrived: deque[tuple[int, Packet]] = deque()
        network.update()

    # Addresses

    @property
    def mac(self) -> MAC:
        """Its MAC address."""
        return self.interface.mac

    @property
    def address(self) -> IPv4Address:
        """Its own IPv4 address: a neighbour's of the host."""
        return IPv4Address(_first(self.name, self.interface, IPv4Address))

    @property
    def address6(self) -> IPv6Address:
        """Its own IPv6 address."""
        return IPv6Address(_first(self.name, self.interface, IPv6Address))

    @property
    def facing(self) -> Interface:
        """The host's interface at the other end."""
        return self.link.ends[0]

    def answers_for(self, address: IPAddress) -> bool:
        """Does it say that this address is its own?"""
        return self.answers and (address in self._used or any(address == own for own, _ in self.interface.addresses))

    # Sending

    def send(self, packet: Packet | Header | bytes) -> Packet:
        """Send a frame to the host, now, and return it as it went.

        A packet without an Ethernet header gets one; IP addresses that are not given become the probe's and the host's;
        without an IP header, IPv4 is put around; or IPv6, around ICMPv6 and in a network of IPv6 only. Bytes are sent as they are.
        """
        if not isinstance(packet, Packet | Header | bytes):
            raise TypeError(f"{packet!r} cannot be sent; expected a packet, a header or bytes")
        if isinstance(packet, bytes):
            frame = Packet.parse(packet)
        else:
            complete = self._completed(Packet(packet) if isinstance(packet, Header) else packet)
            frame = Packet.parse(bytes(complete), cause=complete.cause)
        for kind in (IPv4, IPv6):
            ip: Any = frame.get(kind)
            if ip is not None:
                self._used[ip.source] = None
        self.interface.send(frame, self.network.now)
        return frame

    def _completed(self, packet: Packet) -> Packet:
        headers = packet.headers
        first = headers[0] if headers else None
        if isinstance(first, Ethernet) and first.destination != MAC.BROADCAST:
            return packet
        rest = Packet(*(headers[1:] if isinstance(first, Ethernet) else headers), payload=packet.payload)
        first = rest.headers[0] if rest.headers else None
        if isinstance(first, ICMPv6):
            rest = IPv6() / rest
        elif first is not None and IPv4 in type(first).carriers and not isinstance(first, IPv4 | IPv6):
            rest = (IPv4() if global_of(self.interface, IPv4Address) else IPv6()) / rest
        made: Packet = Ethernet(destination=self.facing.mac, source=self.mac) / self._addressed(rest)
        made.cause = packet.cause
        return made

    def _addressed(self, packet: Packet) -> Packet:
        first = packet.headers[0] if packet.headers else None
        if not isinstance(first, IPv4 | IPv6):
            return packet
        is_v4 = isinstance(first, IPv4)
        changes: dict[str, Any] = {}
        if not any(first.source):
            changes["source"] = self.address if is_v4 else self.address6
        if not any(first.destination):
            kind: type[IPAddress] = IPv4Address if is_v4 else IPv6Address
            changes["destination"] = _first(self.host.name, self.facing, kind)
        return packet.replace(first.replace(**changes))

    # Receiving

    def receive(self, within: str | float = 1) -> Packet | None:
        """The next frame that the host sends, or None if none comes `within` that time. Runs the network."""
        deadline = self.network.now + nanoseconds(within)
        while not self._arrived:
            if not self.network.programs.wait((self,), deadline, None, "receive") and not self._arrived:
                return None
        return self._arrived.popleft()[1]

    def expect(self, pattern: Pattern, within: str | float = 1) -> Packet:
        """The next frame that matches; those before it are passed over. Raises `Unexpected` if none comes in time.

        A header matches one of the same type with the same values in the fields that were given (`TCP(syn=True)`), a
        packet if each of its headers does (and its payload, if it has any), a function if it says so.
        """
        if not (isinstance(pattern, Header | Packet) or callable(pattern)):
            raise TypeError(f"{pattern!r} is nothing to expect; expected a header, a packet or a function of a packet")
        start = self.network.now
        deadline = start + nanoseconds(within)
        passed: list[tuple[int, Packet]] = []
        while self.network.now <= deadline:
            while self._arrived:
                time, packet = self._arrived.popleft()
                if matches(pattern, packet):
                    return packet
                passed.append((time, packet))
            if not self.network.programs.wait((self,), deadline, None, "expect") and not self._arrived:
                break
        wanted = getattr(pattern, "__name__", None) or repr(pattern)
        came = "\n".join(f"  {show_time(time)}: {packet!r}" for time, packet in passed) or "  nothing"
        raise Unexpected(f"{self.name} expected {wanted} within {show_time(deadline - start)}; what came:\n{came}")

    def expect_nothing(self, within: str | float = 1) -> None:
        """Run the network for that time; raises `Unexpected` if the host sends anything to us."""
        packet = self.receive(within)
        if packet is not None:
            raise Unexpected(f"{self.name} expected nothing within {within}; what came:\n  {packet!r}")

    def _arrive(self, packet: Packet, now: int) -> None:
        reply = answer(self, packet)
        if reply is not None:
            self.interface.send(reply, now)
            return
        self._arrived.append((now, packet))
        self.wake()

    def describe(self) -> str:
        return f"{self.name} at {self.host.name}"

    def __repr__(self) -> str:
        return f"<Probe {self.name} at {self.host.name}: {self.address}, {self.address6}>"


class _Handler:
    """Takes what arrives at a probe's interface."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    def __call__(self, interface: Interface, packet: Packet, now: int) -> None:
        self.probe._arrive(packet, now)


def _first(name: str, interface: Interface, kind: type[IPAddress]) -> IPAddress:
    found = global_of(interface, kind)
    if not found:
        raise StackError(f"{name} has no {'IPv4' if kind is IPv4Address else 'IPv6'} address: the network's `versions` leave it out")
    return found[0]


def matches(pattern: Pattern, packet: Packet) -> bool:
    """Whether a packet is what a pattern says; see `Probe.expect`."""
    if isinstance(pattern, Header):
        found = packet.get(type(pattern))
        return found is not None and pattern.matches(found)
    if isinstance(pattern, Packet):
        if pattern.payload and pattern.payload != packet.payload:
            return False
        return all(matches(one, packet) for one in pattern.headers)
    return bool(pattern(packet))
