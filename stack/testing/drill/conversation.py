"""Between a script's numbers and the wire's: one connection's sequence numbers, acknowledgments and timestamps (packetdrill's run_packet.c).

A script's sequence numbers are relative to the initial ones; only in segments with SYN they are those initial numbers
themselves, as the script chose them. Its timestamps are the script's own: the host's clock is what it is, so a value in
an outbound segment is compared with the distance from the first one, and an inbound echo becomes what the host really sent
where the script has that value.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stack.base.address import IPv4Address, IPv6Address
from stack.tcp.formats.tcp import SYN, TCP
from stack.testing.drill.script import Segment
from stack.testing.drill.tcp_options import SackBlocks, TCPOption, Timestamp

MASK = 0xFFFFFFFF
ACK_FLAG = 16
Address = IPv4Address | IPv6Address


@dataclass(slots=True)
class Conversation:
    """The two ends of a connection (or of datagrams), and how the script's numbers become the wire's.

    `local` is the host under test, whose port may be unknown (None) until it has sent; `remote` is the script.
    `passive`: the host listens, the first inbound packet began the conversation; a SYN from the host says that it does not.
    """

    local: Address
    remote: Address
    local_port: int | None
    remote_port: int
    passive: bool = True
    protocol: str = "tcp"
    scaled_echo: bool = False  # --tcp_ts_ecr_scaled: echoes are found by distance from the first timestamp
    script_local: int | None = None  # initial sequence numbers, in the script and on the wire
    live_local: int = 0
    script_remote: int | None = None
    live_remote: int = 0
    first_timestamp: tuple[int, int] | None = None  # of the host: in the script, on the wire
    timestamps: dict[int, int] = field(default_factory=dict)  # the script's → the wire's; as many as the script has

    @property
    def version(self) -> int:
        """The version of IP on the wire."""
        return 4 if isinstance(self.local, IPv4Address) else 6

    # Initial sequence numbers

    def note_inbound(self, segment: Segment) -> None:
        """Before a segment is injected: it may be what says the remote end's initial number, which the wire then has, too."""
        if self.script_remote is None and (self.passive or segment.flags & SYN):
            self.script_remote = self.live_remote = segment.sequence or 0

    def note_outbound(self, expected: Segment, live: TCP) -> None:
        """Before a segment is compared: the first SYN on both sides says the host's initial number."""
        if self.local_port is None:
            self.local_port = live.source
        if self.script_local is None and expected.flags & SYN and live.syn:
            self.script_local, self.live_local = expected.sequence or 0, live.sequence
            self.passive = self.passive and live.ack

    def local_offset(self, syn: bool) -> int:
        """What to add to a number of the host in the script to have the wire's."""
        return self.live_local - (self.script_local or 0) * syn

    def remote_offset(self, syn: bool) -> int:
        """What to add to a number of the remote end in the script to have the wire's."""
        return self.live_remote - (self.script_remote or 0) * syn

    # Segments

    def to_live(self, segment: Segment) -> Segment:
        """An inbound segment with the numbers of the wire; without an acknowledgment flag, that number stays as it is."""
        syn = bool(segment.flags & SYN)
        ours, theirs = self.local_offset(syn), self.remote_offset(syn)
        ack = segment.ack or 0
        options = tuple(self._option_to_live(option, ours) for option in segment.options or ())
        sequence = (segment.sequence or 0) + theirs & MASK
        return replace(
            segment, sequence=sequence, end=sequence + segment.length & MASK, options=options,
            ack=ack + ours & MASK if segment.flags & ACK_FLAG else ack,
        )  # fmt: skip

    def _option_to_live(self, option: TCPOption, ours: int) -> TCPOption:
        match option:
            case SackBlocks(blocks):
                return SackBlocks(tuple((left + ours & MASK, right + ours & MASK) for left, right in blocks))
            case Timestamp(value, echo):
                return Timestamp(value, self.echo_to_live(echo))
        return option

    def echo_to_live(self, echo: int) -> int:
        """An inbound echo as the wire has it: unchanged where the host has sent nothing to which the script gave that value."""
        if self.scaled_echo and self.first_timestamp is not None:
            script, live = self.first_timestamp
            return echo - script + live & MASK
        return self.timestamps.get(echo, echo)

    def to_script(self, segment: Segment) -> Segment:
        """An outbound segment of the wire with the script's numbers."""
        syn = bool(segment.flags & SYN)
        ours, theirs = self.local_offset(syn), self.remote_offset(syn)
        options = tuple(self._option_to_script(option, theirs) for option in segment.options or ())
        sequence = (segment.sequence or 0) - ours & MASK
        ack = segment.ack or 0
        if segment.flags & ACK_FLAG:
            ack = ack - theirs & MASK
        return replace(segment, sequence=sequence, end=sequence + segment.length & MASK, ack=ack, options=options)

    def _option_to_script(self, option: TCPOption, theirs: int) -> TCPOption:
        match option:
            case SackBlocks(blocks):
                return SackBlocks(tuple((left - theirs & MASK, right - theirs & MASK) for left, right in blocks))
            case Timestamp(value, echo) if self.first_timestamp is not None:
                script, live = self.first_timestamp
                return Timestamp(value - live + script & MASK, echo)
        return option

    def note_timestamp(self, script: int, live: int) -> None:
        """The host has sent `live` where the script says `script`."""
        self.timestamps[script] = live
        if self.first_timestamp is None:
            self.first_timestamp = script, live
