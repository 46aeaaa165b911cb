"""Which conversation a script's packet belongs to: the table of sockets under test (google/packetdrill's run_packet.c, socket.h)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from socket import SOCK_DGRAM, SOCK_STREAM
from typing import TYPE_CHECKING

from stack.base.address import ip_address
from stack.codec.packet import Packet as LivePacket
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.tcp import TCP
from stack.tcp.signing.md5 import digest
from stack.testing.drill.arguments import integer
from stack.testing.drill.conversation import Conversation
from stack.testing.drill.expectation import Expectation
from stack.testing.drill.expressions import Integer, SocketAddress
from stack.testing.drill.files import SocketFile
from stack.testing.drill.injection import Signer, inject
from stack.testing.drill.profile import EPHEMERAL, Profile
from stack.testing.drill.script import Packet, Syscall
from stack.testing.drill.tun import Device, Sent
from stack.udp.formats.udp import UDP

if TYPE_CHECKING:
    from stack.testing.drill.pending import Pending
    from stack.testing.drill.process import Process


class Phase(Enum):
    """How far a socket under test is."""

    NEW = "made"
    LISTENING = "listening"
    CONNECTING = "connect() was called"
    TALKING = "packets were seen"


class Under:
    """A socket under test: its number in the script, and its conversation."""

    def __init__(self, conversation: Conversation, number: int | None, phase: Phase) -> None:
        self.conversation = conversation
        self.number = number
        self.phase = phase
        self.ports: tuple[int, int] | None = None  # (remote, local) as the script says them, if it does


class Wire:
    """What a script injects and expects, on the wire of a host."""

    def __init__(self, tun: Device, profile: Profile) -> None:
        self.tun = tun
        self.profile = profile
        self.table: list[Under] = []
        self.under: Under | None = None
        self._port = EPHEMERAL

    # What system calls say

    def calling(self, syscall: Syscall, process: Process) -> None:
        """Before a call: connect(), and sendto() with an address, begin a conversation."""
        if syscall.name not in ("connect", "sendto", "sendmsg") or not syscall.arguments:
            return
        number = integer(syscall.arguments[0])
        file = None if number is None else process.files.get(number)
        if not isinstance(file, SocketFile) or number is None:
            return
        under = self._of(number) or self._add(number, file)
        if syscall.name == "connect" and under.phase is Phase.TALKING and file.connects_anew:
            under = self._add(number, file)  # what the socket talked in before is over
        process.peers[number] = self.profile.connect_port if under.phase is Phase.NEW else under.conversation.remote_port
        if under.phase in (Phase.NEW, Phase.CONNECTING) and (syscall.name == "connect" or _has_address(syscall, file)):
            self._connecting(under, syscall, file)

    def _connecting(self, under: Under, syscall: Syscall, file: SocketFile) -> None:
        conversation = under.conversation
        under.phase = Phase.CONNECTING
        conversation.passive = False
        conversation.remote_port = self.profile.connect_port
        bound = file.socket.getsockname()
        conversation.local_port = bound[1] or None
        for argument in syscall.arguments:
            if isinstance(argument, SocketAddress):
                conversation.remote_port = argument.port or conversation.remote_port
                if argument.address is not None:
                    conversation.remote = ip_address(argument.address.text)
        self.under = under

    def called(self, pending: Pending, process: Process) -> None:
        """After a call: new sockets, listeners, accepted connections."""
        syscall, result = pending.syscall, pending.result
        if result is None or result < 0 or pending.mismatch is not None:
            return
        first = integer(syscall.arguments[0]) if syscall.arguments else None
        match syscall.name:
            case "socket":
                file = process.files.get(result)
                if isinstance(file, SocketFile):
                    self.under = self._add(result, file)
            case "listen" if first is not None:
                under = self._of(first)
                if under is not None:
                    under.phase = Phase.LISTENING
                    self.under = under
            case "accept" | "accept4":
                self._accepted(result, process)
            case "bind" | "connect" | "sendto" | "sendmsg" if first is not None:
                under = self._of(first)
                # A stream's SYN tells its port; a datagram's socket has one as soon as it is connected, or has sent
                if under is not None and (syscall.name == "bind" or under.conversation.protocol == "udp"):
                    under.conversation.local_port = process.files.socket(first).socket.getsockname()[1] or None

    def _accepted(self, number: int, process: Process) -> None:
        """Which of the conversations that began by themselves the new number is for: its peer's port says."""
        port = process.peers.get(number)
        for under in reversed(self.table):
            if under.number is None and under.conversation.remote_port == port:
                under.number = number
                return

    def _of(self, number: int) -> Under | None:
        return next((one for one in reversed(self.table) if one.number == number), None)

    def _add(self, number: int | None, file: SocketFile | None, phase: Phase = Phase.NEW) -> Under:
        protocol = "udp" if file is not None and file.socket.type == SOCK_DGRAM else "tcp"
        profile = self.profile
        for old in self.table:
            if number is not None and old.number == number:
                old.number = -1  # the number was closed, and is another file's now
        made = Under(self._conversation(profile, protocol), number, phase)
        self.table.append(made)
        return made

    def _conversation(self, profile: Profile, protocol: str) -> Conversation:
        self._port += 1
        return Conversation(
            profile.local, profile.remote, profile.bind_port, self._port - 1, protocol=protocol, scaled_echo=profile.scaled_echo
        )

    def socket(self, process: Process) -> SocketFile | None:
        """The socket that code asks about: the one under test."""
        under = self.under
        if under is None or under.number is None or under.number < 0:
            return None
        file = process.files.get(under.number)
        return file if isinstance(file, SocketFile) else None

    # Packets

    def _for(self, packet: Packet) -> Under:
        """The conversation of a packet of the script: that of its ports, or the one under test."""
        ports = getattr(packet.body, "ports", None)
        under = self.under
        inbound = packet.direction.value == "<"
        if ports is not None:
            wanted = ports if inbound else (ports[1], ports[0])
            found = next((one for one in reversed(self.table) if one.ports == wanted), None)
            if found is not None:
                self.under = found
                return found
        if under is None or (under.phase is Phase.LISTENING and inbound) or (ports is not None and under.ports is not None):
            under = self.under = self._add(None, None, Phase.TALKING)
        if ports is not None and under.ports is None:
            under.ports = wanted
            if inbound or under.phase is Phase.TALKING:
                under.conversation.remote_port, under.conversation.local_port = wanted
        return under

    def inject(self, packet: Packet) -> None:
        """The script's packet arrives at the host."""
        under = self._for(packet)
        if under.phase is Phase.NEW:
            under.phase = Phase.TALKING
        live = inject(packet, under.conversation, self._signer(under.conversation))
        self.tun.inject(bytes(live), live.cause)

    def expected(self, packet: Packet, sniff: Callable[[], bool]) -> Iterator[tuple[int, Sent | None]]:
        """The packets that make up one that the script expects, as they come, each compared; None if none comes."""
        under = self._for(packet)
        expectation = Expectation(
            packet, under.conversation, strict=self.profile.strict_segments, tick=self.profile.tick, tolerance=self.profile.tolerance
        )
        part = 0
        while True:
            sent = self._next(under, sniff)
            if sent is None:
                yield part, None
                return
            if under.phase is Phase.CONNECTING:
                under.phase = Phase.TALKING
            expectation.signer = self._signer(under.conversation)
            whole = expectation.meet(LivePacket.parse(sent.frame, cause=sent.cause))
            yield part, sent
            if whole:
                return
            part += 1

    def _signer(self, conversation: Conversation) -> Signer | None:
        """What makes the digests of `md5 valid`: with the key that the host has for this conversation."""
        local = (conversation.local, conversation.local_port or 0)
        secret = self.tun.md5_secret(local, (conversation.remote, conversation.remote_port))
        if secret is None:
            return None
        return lambda ip, header, text: digest(secret, bytes(ip.source), bytes(ip.destination), header, text)

    def _next(self, under: Under, sniff: Callable[[], bool]) -> Sent | None:
        """The next packet of this conversation; those of others are passed over, as packetdrill does."""
        while sniff():
            sent = self.tun.sent.popleft()
            if belongs(LivePacket.parse(sent.frame), under.conversation, under.phase is Phase.CONNECTING):
                return sent
        return None


def belongs(live: LivePacket, conversation: Conversation, connecting: bool) -> bool:
    """Is it a packet of the host in this conversation? ICMP has no ports: its address decides."""
    ip = live.get(IPv4) or live.get(IPv6)
    if ip is None or ip.destination != conversation.remote:
        return False
    if (ICMP if isinstance(ip, IPv4) else ICMPv6) in live:
        return True
    transport = live.get(TCP) or live.get(UDP)
    if transport is None or transport.destination != conversation.remote_port:
        return False
    known = conversation.local_port
    if connecting and isinstance(transport, TCP):  # what comes of a connect() is a SYN: other segments are of a socket before
        return transport.syn and not transport.ack and known in (None, transport.source)
    return known is None or bool(transport.source == known)


def _has_address(syscall: Syscall, file: SocketFile) -> bool:
    """Does sendto() or sendmsg() say whom to send to? For streams only Fast Open does."""
    if file.socket.type != SOCK_STREAM:
        return not (syscall.name == "sendto" and isinstance(syscall.arguments[-2], Integer))
    flags = integer(syscall.arguments[3 if syscall.name == "sendto" else 2]) or 0
    return bool(flags & 0x20000000)

