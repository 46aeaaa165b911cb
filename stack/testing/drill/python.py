"""Drills in Python, for what a script cannot say: several connections, loops, values taken from earlier packets."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from stack.base.address import IPAddress, ip_address
from stack.base.errors import StackError
from stack.base.quantity import nanoseconds, show_time
from stack.codec.packet import Packet as LivePacket
from stack.lab.host import Host
from stack.lab.network import Network
from stack.tcp.formats.tcp import TCP
from stack.testing.drill.conversation import Conversation
from stack.testing.drill.describe import describe
from stack.testing.drill.expectation import Expectation
from stack.testing.drill.injection import inject
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.parser import parse
from stack.testing.drill.printer import show_packet
from stack.testing.drill.profile import BIND_PORT, EPHEMERAL, Profile, addresses
from stack.testing.drill.script import Packet, ScriptError, Segment
from stack.testing.drill.tun import Sent, Tun
from stack.testing.drill.wire import belongs


@dataclass(frozen=True, slots=True)
class Seen:
    """A packet that went over the wire of a drill, at `time` (ns of the network): as it was, and in the script's numbers."""

    time: int
    packet: LivePacket
    said: Packet

    @property
    def segment(self) -> Segment:
        """Its TCP header, with the script's numbers; raises `StackError` for others."""
        if not isinstance(self.said.body, Segment):
            raise StackError(f"{show_packet(self.said)} is no segment")
        return self.said.body

    def __str__(self) -> str:
        return f"{show_time(self.time)} {show_packet(self.said)}"


class Drill:
    """Packets into a host and out of it, in packetdrill's words. Made by `net.drill(host)`.

    The host gets an interface with an address of its own, behind which is `remote`. `port` is where the host listens, `to` the
    remote's port that it connects to. A `flow` is a conversation: any name; each has a port of the remote of its own.

        drill = net.drill(server)
        drill.inject("S 0:0(0) win 32792 <mss 1000>")
        drill.expect("S. 0:0(0) ack 1 <...>", within="1 ms")
    """

    def __init__(
        self, network: Network, host: Host, *, version: int = 4, local: str | None = None, remote: str | None = None,
        mtu: int | None = None, port: int = BIND_PORT, to: int = BIND_PORT,
    ) -> None:  # fmt: skip
        if version not in (4, 6):
            raise ValueError(f"version is {version!r}; expected 4 or 6")
        known = addresses(version)
        self.network = network
        self.host = host
        self.local: IPAddress = known.local if local is None else ip_address(local)
        self.remote: IPAddress = known.remote if remote is None else ip_address(remote)
        if len(self.local) != len(known.local) or len(self.remote) != len(known.remote):
            raise ValueError(f"local is {self.local}, remote {self.remote}; expected addresses of IPv{version}")
        self.profile: Profile = known
        self.port, self.to = port, to
        number = sum(one.name.startswith("tun") for one in host.interfaces)
        reach = [(self.remote, 8 * len(self.remote))]
        self.tun = Tun(host, f"tun{number}", [self.local], known.mtu if mtu is None else mtu, reach)
        self._flows: dict[Hashable, Conversation] = {}
        self._begun: dict[Hashable, None] = {}  # flows in which a packet was seen
        self._passed: list[Sent] = []  # packets of other flows that nobody has asked for yet

    def flow(self, name: Hashable = None) -> Conversation:
        """The conversation of this name; made when first asked for."""
        found = self._flows.get(name)
        if found is None:
            port = EPHEMERAL + len(self._flows)
            found = self._flows[name] = Conversation(self.local, self.remote, self.port, port)
        return found

    # What a script does

    def inject(self, text: str, flow: Hashable = None) -> Seen:
        """A packet arrives at the host now: `S 0:0(0) win 32792 <mss 1000>`. Raises `ScriptError`."""
        packet = _read("<", text)
        self._begun[flow] = None
        self._run(self.network.now)  # programs that have just been started are there first
        live = inject(packet, self.flow(flow))
        seen = Seen(self.network.now, live, packet)
        self.tun.inject(bytes(live), "injected by a drill")
        return seen

    def expect(self, text: str, within: str | float = "4 ms", after: str | float = 0, flow: Hashable = None) -> Seen:
        """The next packet that the host sends in this flow must be this one, `within` some time from now, and not before `after`.

        A segment may come in pieces; the last is returned. Raises `Mismatch`, which shows both. Runs the network.
        """
        packet = _read(">", text)
        begun = self.network.now
        latest, earliest = begun + nanoseconds(within), begun + nanoseconds(after)
        conversation = self.flow(flow)
        expectation = Expectation(packet, conversation)
        while True:
            sent = self._next(conversation, latest, opening=flow not in self._begun)
            if sent is None:
                raise Mismatch(f"no packet was sent within {show_time(latest - begun)}", show_packet(packet), "nothing", packet.place)
            self._begun[flow] = None
            live = LivePacket.parse(sent.frame, cause=sent.cause)
            if sent.time < earliest:
                reason = f"a packet was sent after {show_time(sent.time - begun)} already"
                raise Mismatch(reason, show_packet(packet), self._said(live, conversation), packet.place)
            if expectation.meet(live):
                return Seen(sent.time, live, self._presented(live, conversation))

    def expect_nothing(self, within: str | float = "10 ms", flow: Hashable = None) -> None:
        """Run the network for that time: the host must send nothing (in this flow, if one is named). Raises `Mismatch`."""
        latest = self.network.now + nanoseconds(within)
        conversation = self._flows.get(flow) if flow is not None else None
        while True:
            sent = self._next(conversation, latest)
            if sent is None:
                return
            live = LivePacket.parse(sent.frame, cause=sent.cause)
            said = self._said(live, conversation or self._owner(live))
            raise Mismatch(f"a packet was sent; expected none within {within}", "nothing", said)

    def sleep(self, time: str | float) -> None:
        """Let the network run for that time."""
        self._run(self.network.now + nanoseconds(time))

    # Inside

    def _owner(self, live: LivePacket) -> Conversation | None:
        return next((one for one in self._flows.values() if belongs(live, one, False)), None)

    def _said(self, live: LivePacket, conversation: Conversation | None) -> str:
        if conversation is None:
            described = describe(live)
            return str(live) if described is None else show_packet(described)
        return show_packet(self._presented(live, conversation))

    def _presented(self, live: LivePacket, conversation: Conversation) -> Packet:
        described = describe(live)
        if described is None:
            raise Mismatch("the host sent something else", actual=str(live))
        return Expectation(described, conversation).presented(described)

    def _next(self, conversation: Conversation | None, latest: int, opening: bool = False) -> Sent | None:
        """The next packet of a conversation (None: of any); the others wait until they are asked for."""
        for index, sent in enumerate(self._passed):
            if self._takes(sent, conversation, opening):
                return self._passed.pop(index)
        while True:
            while self.tun.sent:
                sent = self.tun.sent.popleft()
                if self._takes(sent, conversation, opening):
                    return sent
                self._passed.append(sent)
            if self.network.now >= latest:
                self._run(self.network.now)
                if not self.tun.sent:
                    return None
                continue
            self.network.update()
            self.network.programs.wait((self.tun,), latest, None, "drill")

    def _takes(self, sent: Sent, conversation: Conversation | None, opening: bool) -> bool:
        if conversation is None:
            return True
        live = LivePacket.parse(sent.frame)
        if not opening:
            return belongs(live, conversation, False)
        # Nothing was injected in this flow: the host opens it, from a port of its own that no other flow has.
        tcp = live.get(TCP)
        if self._owner(live) is not None or tcp is None or not tcp.syn or tcp.destination != self.to:
            return False
        conversation.passive, conversation.local_port, conversation.remote_port = False, tcp.source, self.to
        return belongs(live, conversation, True)

    def _run(self, until: int) -> None:
        self.network.update()
        self.network.programs.run(until)


def _read(direction: str, text: str) -> Packet:
    """A packet in the script's words, without its direction."""
    script = parse(f"0 {direction} {text}", "<drill>")
    action = script.events[0].action
    if len(script.events) != 1 or not isinstance(action, Packet):
        raise ScriptError(action.place, f"{text!r} is not one packet")
    return action
