"""Compares what a host sends with what a script expects, as packetdrill does (run_packet.c, `verify_outbound_live_packet`).

Flags, sequence and acknowledgment number, urgent pointer, length and options are exact; the window where the script has
one; of the IP header what the script says. Timestamps are compared only where --tcp_ts_tick_usecs gives the length of
a tick, with the tolerance of times; their echoes always. A segment that is larger than what the host sends at once is matched by the
pieces that make it up: all but the last of one length, without FIN, the last with the script's flags.
"""

from __future__ import annotations

from dataclasses import replace

from stack.codec.packet import Packet as LivePacket
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.tcp import ACK, CWR, FIN, PSH, SYN, TCP
from stack.testing.drill.control_names import number_of
from stack.testing.drill.conversation import MASK, Conversation
from stack.testing.drill.describe import describe
from stack.testing.drill.injection import Signer
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.place import ScriptError
from stack.testing.drill.printer import show_packet
from stack.testing.drill.script import ControlMessage, Datagram, IPInfo, Packet, Segment
from stack.testing.drill.tcp_options import Signature, TCPOption, Timestamp, octets_of

CODEPOINTS = {"noecn": (0,), "ect1": (1,), "ect0": (2,), "ect01": (1, 2), "ce": (3,)}
NAMES = {"ack": "acknowledgment", "tos": "type of service", "ttl": "time to live", "flow_label": "flow label"}


class Expectation:
    """A packet that a script expects, and what of it has come.

    `strict`: --strict_segments, pieces do not count. `tick`: --tcp_ts_tick_usecs in nanoseconds, 0 for none;
    `tolerance` of timestamps in nanoseconds; `signer` makes the digest that `md5 valid` is held against.
    """

    def __init__(
        self, packet: Packet, conversation: Conversation, *, strict: bool = False, tick: int = 0, tolerance: int = 0,
        signer: Signer | None = None,
    ) -> None:  # fmt: skip
        if packet.layers:
            raise ScriptError(packet.place, "tunnels (ipv4, ipv6, gre, mpls in front of a packet) are read, but not emulated")
        self.packet = packet
        self.conversation = conversation
        self.strict = strict
        self.tick = tick
        self.tolerance = tolerance
        self.signer = signer
        self.seen = 0  # octets of the segment that earlier pieces have had
        self.piece = 0  # octets of the first piece

    def meet(self, live: LivePacket) -> bool:
        """Whether the expectation is fulfilled with this packet; False: it was a piece, and more must come. Raises Mismatch."""
        found = describe(live)
        if found is None:
            raise Mismatch("the host sent something else", show_packet(self.packet), str(live), self.packet.place)
        body, expected = found.body, self.packet.body
        if isinstance(body, Segment) and isinstance(expected, Segment):
            return self._segment(live, found, body, expected)
        differences = self._ends(found) + self._ip(found)
        match expected, body:
            case Datagram(length), Datagram(actual):
                differences += ["length"] if length != actual else []
            case ControlMessage(), ControlMessage():
                differences += self._control(expected, body)
            case _:
                differences = ["protocol"]
        self._check(differences, found)
        return True

    def _check(self, differences: list[str], found: Packet) -> None:
        """Raise what differs, if something does."""
        if differences:
            reason = f"outbound packet: {', '.join(differences)} {'differs' if len(differences) == 1 else 'differ'}"
            if self.seen:
                reason += f" (after {self.seen} octets of it had come in pieces)"
            raise Mismatch(reason, show_packet(self.packet), show_packet(self.presented(found)), self.packet.place)

    def presented(self, found: Packet) -> Packet:
        """A packet of the wire in the script's terms, saying of its IP header as much as the script does."""
        asked, info = self.packet.ip or IPInfo(), found.ip or IPInfo()
        info = IPInfo(
            info.ecn if asked.ecn is not None or info.ecn == "ce" else None, info.tos if asked.tos is not None else None,
            info.ttl if asked.ttl is not None else None, info.flow_label if asked.flow_label is not None else None,
        )  # fmt: skip
        body = found.body
        if isinstance(body, Segment):
            body = self.conversation.to_script(body)
            body = replace(
                body, ports=None, ack=body.ack if body.flags & ACK or body.ack else None, urgent=body.urgent or None
            )
        elif isinstance(body, Datagram):
            body = replace(body, ports=None)
        return replace(found, body=body, ip=info)

    # What every packet has

    def _ends(self, found: Packet) -> list[str]:
        """Ports; the addresses brought the packet here."""
        ports = getattr(found.body, "ports", None)
        conversation = self.conversation
        if ports is None:
            return []
        differences = [] if ports[1] == conversation.remote_port else ["destination port"]
        if conversation.local_port is not None and ports[0] != conversation.local_port:
            differences.append("source port")
        return differences

    def _ip(self, found: Packet) -> list[str]:
        """What the script says of the IP header."""
        asked, info = self.packet.ip or IPInfo(), found.ip or IPInfo()
        differences = []
        if asked.ecn is not None and (info.tos or 0) & 3 not in CODEPOINTS[asked.ecn]:
            differences.append("ECN")
        for name in ("tos", "ttl", "flow_label"):
            if getattr(asked, name) not in (None, getattr(info, name)):
                differences.append(NAMES[name])
        return differences

    def _control(self, expected: ControlMessage, body: ControlMessage) -> list[str]:
        """Type and code, and the rest where the script says it."""
        version = self.conversation.version
        try:
            wanted = number_of(version, expected.type, expected.code)
        except ValueError as error:
            raise ScriptError(self.packet.place, str(error)) from None
        differences = [] if wanted == number_of(version, body.type, body.code) else ["type or code"]
        differences += ["MTU"] if expected.mtu not in (None, body.mtu) else []
        return differences + (["identifier"] if expected.identifier not in (None, body.identifier) else [])

    # TCP

    def _segment(self, live: LivePacket, found: Packet, body: Segment, expected: Segment) -> bool:
        """A segment against a segment: the whole, or the next piece."""
        tcp = live[TCP]
        ip = live.get(IPv4) or live.get(IPv6)
        differences = [] if ip is not None and ip.version == self.conversation.version else ["IP version"]
        self.conversation.note_outbound(expected, tcp)
        differences += self._ends(found) + self._ip(found)
        if expected.options is not None:
            differences += self._options(body.options or (), expected.options, bool(body.flags & SYN))
            differences += self._signature(live, body.options or (), expected.options)
        actual = self.conversation.to_script(body)
        rest = expected.length - self.seen
        partial = 0 < actual.length < rest and not self.strict and not expected.flags & SYN
        differences += self._flags(actual.flags, expected.flags, partial)
        if expected.sequence is not None and actual.sequence != expected.sequence + self.seen & MASK:
            differences.append("sequence number")
        if actual.ack != (expected.ack or 0):
            differences.append("acknowledgment")
        if expected.window not in (None, actual.window):
            differences.append("window")
        if not self.seen and actual.urgent != (expected.urgent or 0):
            differences.append("urgent pointer")
        size = self.piece or actual.length
        if (partial and actual.length != size) or (not partial and (actual.length != rest or actual.length > size)):
            differences.append("length")
        self._check(differences, found)
        self.piece = size
        self.seen += actual.length
        return not partial

    def _flags(self, actual: int, expected: int, partial: bool) -> list[str]:
        """Of pieces, the last has PSH and FIN, and the first CWR (as segmentation offload does)."""
        loose = PSH if partial else 0
        if partial:
            expected &= ~FIN
        if self.seen and expected & CWR:
            loose |= CWR
        return ["flags"] if (actual ^ expected) & ~loose else []

    def _options(self, live: tuple[TCPOption, ...], expected: tuple[TCPOption, ...], syn: bool) -> list[str]:
        """Options in order, with their lengths and values; `live` has the wire's numbers."""
        for wanted, one in zip(expected, live, strict=False):
            if isinstance(wanted, Timestamp) and isinstance(one, Timestamp):
                self.conversation.note_timestamp(wanted.value, one.value)
        offset = self.conversation.to_script(Segment(SYN * syn, 0, 0, 0, options=live)).options or ()
        if len(offset) != len(expected):
            return ["options"]
        differences = []
        for wanted, one in zip(expected, offset, strict=True):
            if isinstance(wanted, Timestamp) and isinstance(one, Timestamp):
                differences += self._timestamp(wanted, one)
            elif isinstance(wanted, Signature) and isinstance(one, Signature) and wanted.digest is True:
                continue  # see _signature
            elif octets_of(wanted) != octets_of(one):
                differences.append("options")
        return list(dict.fromkeys(differences))

    def _signature(self, live: LivePacket, found: tuple[TCPOption, ...], expected: tuple[TCPOption, ...]) -> list[str]:
        """`md5 valid`: the digest is that of the connection's key."""
        if Signature(True) not in expected:
            return []
        ip = live.get(IPv4) or live.get(IPv6)
        if self.signer is None or ip is None:
            raise ScriptError(self.packet.place, "md5 valid: no key is set for this connection")
        return [] if Signature(self.signer(ip, live[TCP], live.after(TCP))) in found else ["signature"]

    def _timestamp(self, wanted: Timestamp, one: Timestamp) -> list[str]:
        """The host's clock within the tolerance, if the script says how long a tick is; the echo exactly."""
        distance = one.value - wanted.value & MASK
        ticks = min(distance, 2**32 - distance)
        differences = ["timestamp"] if self.tick and ticks * self.tick > self.tolerance else []
        return differences + ([] if wanted.echo == one.echo else ["timestamp echo"])
