"""The wire of a drill: a host's interface whose other end is the script, as packetdrill's tun device is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from stack.base.address import MAC, IPAddress, IPv4Address
from stack.codec.packet import Packet
from stack.host.attachment import IPV4_TYPE, IPV6_TYPE
from stack.lab.host import Host
from stack.link.formats.ethernet import Ethernet
from stack.link.interface import ETHERNET_MTU, Interface
from stack.network.waiting import Source
from stack.tcp.signing.md5 import MD5
from stack.tcp.signing.signatures import signature_for

FAR_MAC = MAC("02:00:00:00:00:fe")
LONGEST = 4096  # packets that wait for the script: a host that sends more unasked has lost its way


class Sent(NamedTuple):
    """What the host sent: when (ns), and the frame. `cause`: why, in the host's words."""

    time: int
    frame: bytes
    cause: str | None


class Device(Source):
    """Where a script's packets enter a host, whatever host that is, and where its own wait for the script: it wakes when some do."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: deque[Sent] = deque(maxlen=LONGEST)

    def inject(self, octets: bytes, cause: str | None = None) -> None:
        """A packet, from its IP header on, arrives at the host now."""
        raise NotImplementedError

    def md5_secret(self, local: tuple[IPAddress, int], remote: tuple[IPAddress, int]) -> bytes | None:
        """The key with which the host signs what it sends from `local` to `remote` (RFC 2385); None without one."""
        raise NotImplementedError


class Tun(Device):
    """An interface of `host` with no delay, no loss, and every address behind it: no ARP, no neighbour discovery.

    What the host sends waits in `sent`. `addresses` are the host's own here. All that it has no other route for is behind
    the wire, or only what is in `reach`, a list of prefixes with their lengths.
    """

    def __init__(
        self, host: Host, name: str, addresses: Iterable[IPAddress], mtu: int = ETHERNET_MTU,
        reach: Iterable[tuple[IPAddress, int]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.host = host
        self.name = name
        # As an interface counts what goes into its wire and comes out of it
        self.entered = self.octets_entered = self.delivered = self.octets_delivered = 0
        self.interface = Interface(name, host.network.topology.mac(), mtu, owner=host.name)
        self.interface.wire = self.interface.source = self
        engine = host.engine
        attachment = engine.add_interface(self.interface)
        host.node.attach(self.interface)
        for address in addresses:
            gateway = gateway_of(address)
            engine.add_address(self.interface, address, 8 * len(address))  # no subnet: all is behind the gateway
            attachment.cache(gateway).set(gateway, FAR_MAC)
            for prefix, length in reach if reach is not None else [(type(address)(bytes(len(address))), 0)]:
                if len(prefix) == len(address):
                    engine.routes.add(prefix, length, self.interface, gateway)

    @property
    def send(self) -> Callable[[Packet, int], None]:
        """Take a frame of the host."""
        return self._take

    def _take(self, packet: Packet, now: int) -> None:
        self.entered += 1
        octets = bytes(packet)
        self.octets_entered += len(octets)
        self.sent.append(Sent(now, octets, packet.cause))
        self.wake()

    def inject(self, octets: bytes, cause: str | None = None) -> None:
        """A packet, from its IP header on, arrives at the host now."""
        kind = IPV4_TYPE if octets[:1] and octets[0] >> 4 == 4 else IPV6_TYPE
        frame = Packet.parse(bytes(Ethernet(self.interface.mac, FAR_MAC, kind)) + octets, cause=cause)
        self.delivered += 1
        self.octets_delivered += len(frame)
        self.interface.receive(frame, self.host.network.now)

    def md5_secret(self, local: tuple[IPAddress, int], remote: tuple[IPAddress, int]) -> bytes | None:
        tcp = self.host.engine.tcp
        known = [tcp.connections.get((*local, *remote)), *tcp.listeners.get(local[1], ())]
        for settings in (one.settings for one in known if one is not None):
            signature = signature_for(settings, remote)
            if isinstance(signature, MD5):
                return signature.secret
        return None

    def describe(self) -> str:
        return f"{self.name} of {self.host.name}"


def gateway_of(address: IPAddress) -> IPAddress:
    """The next hop behind the wire for the host that has `address`; no packet shows it."""
    return type(address)(int(address) ^ (1 if isinstance(address, IPv4Address) else 1 << 64))
