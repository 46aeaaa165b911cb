"""The wire of a drill that runs against this machine's kernel: a TUN device, and the times at which packets were on it."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import NamedTuple

from stack.base.address import MAC, IPAddress
from stack.host.attachment import IPV4_TYPE, IPV6_TYPE
from stack.link.formats.ethernet import Ethernet
from stack.link.tap import Device as TunDevice
from stack.socket.numbers import SOL_SOCKET
from stack.testing.drill.profile import Profile
from stack.testing.drill.tun import FAR_MAC, Device, Sent, gateway_of

NAME = "tun0"
_ALL = 3  # ETH_P_ALL
_OUTGOING = 4  # PACKET_OUTGOING
_TIMES, _BUFFER_BY_FORCE = 35, 33  # SO_TIMESTAMPNS, SO_RCVBUFFORCE
_ROOM = 1 << 25  # octets that wait to be looked at
_SUBNETS = {4: 16, 16: 64}  # netmask_ip of packetdrill's
_DESCRIPTION = struct.Struct("=BBHHHH")
_SEGMENTS = {4: 1, 6: 4}  # VIRTIO_NET_HDR_GSO_TCPV4, …TCPV6
_HEADS = {version: bytes(Ethernet(FAR_MAC, MAC("02:00:00:00:00:01"), kind)) for version, kind in ((4, IPV4_TYPE), (6, IPV6_TYPE))}


class Seen(NamedTuple):
    """A datagram that went over the wire, in either direction: when, in nanoseconds since 1970."""

    time: int
    datagram: bytes


class KernelTun(Device):
    """tun0 of the namespace in which it is made, with the addresses and routes of packetdrill's.

    A packet socket sees each datagram with the time that the kernel gives it: what the kernel did is not late because we
    are late to look. The device's own queue is emptied, and not looked at. Times are those of `time.monotonic_ns()`.
    """

    def __init__(self, profile: Profile, record: bool = False) -> None:
        super().__init__()
        self.offload = profile.offload
        self.device = TunDevice(NAME, None, profile.mtu, offload=profile.offload > 0)
        self.seen: list[Seen] | None = [] if record else None
        #: The key of TCP_MD5SIG that the script set last: the kernel tells none.
        self.key: bytes | None = None
        address, size = profile.local, len(profile.local)
        self.device.add_address(address, _SUBNETS[size])
        # The first route is packetdrill's, which scripts change; the other leads to routers, whose ICMP comes from anywhere
        for network, length in ((profile.remote, 8 * size), (type(address)(bytes(size)), 0)):
            # nobody is asked for the gateway's address on such a device; IPv6 wants it on the link none the less
            self.device.route(network, length, gateway_of(address) if size == 4 else None)
        self._sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._sniffer.setblocking(False)
        self._sniffer.setsockopt(SOL_SOCKET, _BUFFER_BY_FORCE, _ROOM)
        self._sniffer.setsockopt(SOL_SOCKET, _TIMES, 1)
        self._sniffer.bind((NAME, _ALL))
        self._offset = time.time_ns() - time.monotonic_ns()

    def fileno(self) -> int:
        """The file to be waited for."""
        return self._sniffer.fileno()

    def inject(self, octets: bytes, cause: str | None = None) -> None:
        self.device.write(self._described(octets) + octets)

    def _described(self, octets: bytes) -> bytes:
        """What goes before a datagram where `--mss` says so (struct virtio_net_hdr): a longer one is made of such segments."""
        if not self.offload:
            return b""
        version = octets[0] >> 4
        start, protocol = (4 * (octets[0] & 15), octets[9]) if version == 4 else (40, octets[6])
        if protocol != 6:
            return bytes(_DESCRIPTION.size)
        head = start + 4 * (octets[start + 12] >> 4)
        if len(octets) - head <= self.offload:
            return bytes(_DESCRIPTION.size)
        return _DESCRIPTION.pack(0, _SEGMENTS[version], 0, self.offload, 0, 0)

    def take(self) -> None:
        """What the kernel has sent since: into `sent`."""
        while select.select((self._sniffer,), (), (), 0)[0]:
            datagram, control, _, address = self._sniffer.recvmsg(65536, 64)
            moment = next(
                (seconds * 10**9 + more for _, kind, data in control if kind == _TIMES for seconds, more in [struct.unpack("qq", data)]),
                time.time_ns(),
            )
            if self.seen is not None:
                self.seen.append(Seen(moment, datagram))
            head = _HEADS.get(datagram[0] >> 4) if datagram else None
            if head is not None and address[2] == _OUTGOING:
                self.sent.append(Sent(moment - self._offset, head + datagram, None))
                self.device.read()

    def md5_secret(self, local: tuple[IPAddress, int], remote: tuple[IPAddress, int]) -> bytes | None:
        return self.key

    def close(self) -> None:
        """The device is gone."""
        self._sniffer.close()
        self.device.close()

    def write_capture(self, path: str | os.PathLike[str]) -> None:
        """All that went over the wire."""
        from stack.capture.writer import open_writer
        from stack.codec.registry import LinkType

        writer = open_writer(os.fspath(path))
        number = writer.add_interface(NAME, LinkType.RAW)
        for moment, datagram in self.seen or ():
            writer.write_frame(moment, datagram, number)
        writer.close()
