"""A TCP connection as the host and the sockets see it: an engine around the block (RFC 9293 section 3.9.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.tcp import calls, icmp, info, timeouts
from stack.tcp.arrives import segment_arrives
from stack.tcp.block import NEVER, Block, Endpoint
from stack.tcp.congestion.base import INFINITE
from stack.tcp.counters import Counters
from stack.tcp.marks import Marks, Told
from stack.tcp.opening import handshake
from stack.tcp.prediction import predicted
from stack.tcp.receiving import delayed_ack, window
from stack.tcp.receiving.timestamps import before
from stack.tcp.segment import ACK, RST, SYN, Segment
from stack.tcp.sending import pacing
from stack.tcp.sending.transmit import output, send_new
from stack.tcp.seq import unwrap
from stack.tcp.settings import DEFAULT, TcpSettings
from stack.tcp.signing.signatures import acceptable, signature_for
from stack.tcp.state import CLOSED, FIN_WAIT_2, HAS_DATA, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT

if TYPE_CHECKING:
    from stack.tcp.formats.tcp import TCP

Sink = Callable[["Connection", "TCP", bytes, "str | None"], None]
Poke = Callable[["Connection"], None]


class Connection(Block):
    """One end of a connection.

    `local` and `remote` are (address, port); `iss` is the initial send sequence number (see `isn.py`); `mss` what the
    MTU of the way out leaves for text without options; `ts_offset` see `isn.py`; `counters` those of its host.

    Segments go to `sink(connection, header, text, cause)` as they are made, or, without a sink, to `take_output()`.
    `poke(connection)` is called when `deadline` moves earlier, and when the connection has become CLOSED and is to be
    forgotten. `notify()` is called when something that a program may wait for has changed.
    """

    __slots__ = ()

    def __init__(
        self,
        local: Endpoint,
        remote: Endpoint | None,
        settings: TcpSettings = DEFAULT,
        *,
        iss: int,
        mss: int = 1460,
        ts_offset: int = 0,
        sink: Sink | None = None,
        poke: Poke | None = None,
        counters: Counters | None = None,
    ) -> None:
        super().__init__(local, remote, settings, iss, mss, ts_offset, counters)
        if settings.maximum_segment is not None:
            self.rcv.mss = min(mss, settings.maximum_segment)
        self.sink = sink
        self.poke = poke
        if settings.md5_keys or settings.ao_keys:
            self.signature = signature_for(settings, remote)

    def __repr__(self) -> str:
        remote = f"{self.remote[0]}:{self.remote[1]}" if self.remote is not None else "*"
        return f"<Connection {self.local[0]}:{self.local[1]} – {remote} {self.state.value}>"

    # The engine

    def receive(self, header: TCP, text: bytes, now: int) -> str | None:
        """SEGMENT ARRIVES. The name of the step that ended processing, None if the segment passed all of them."""
        self.heard = now
        self.probes = 0
        self.segments_in += 1
        if text:
            self.data_segments_in += 1
        ended = None
        if self.signature is not None and not acceptable(self, header, text):
            ended = "signature"
        elif not self.settings.prediction or not predicted(self, header, text, now):
            segment = Segment.read(header, text, self.rcv.nxt, self.snd.una)
            if segment.signed and self.signature is None and not acceptable(self, header, text):
                ended = "signature"  # nothing was agreed on: dropped in silence, as in Linux
            else:
                half_open = self.listener is not None
                ended = segment_arrives(self, segment, now)
                if half_open and self.listener is not None:
                    self.counters.InSegs += self.segments_in - 1
                    self.segments_in, self.data_segments_in = 1, 0  # TCP_INFO tells nothing of what a half-open connection sees
                output(self, now)
        if self.events is not None:
            if ended is not None:
                self.events.append((now, "ended", ended))
            self.sample(now)
        return ended

    def timeout(self, now: int) -> None:
        """Do what is due at `now`."""
        timeouts.timeout(self, now)
        self.sample(now)

    def take_output(self) -> list[tuple[TCP, bytes, str | None]]:
        """The segments made since last asked, where there is no sink: (header, text, cause)."""
        made, self.outbox = self.outbox, None
        return made or []

    def sample(self, now: int) -> None:
        """Keep the congestion window and SSTHRESH where they changed, while somebody watches."""
        cwnd = self.congestion.cwnd
        if self.events is not None and cwnd != self.sampled:
            self.sampled = cwnd
            ssthresh = self.congestion.ssthresh
            mss = self.snd.mss
            self.events.append((now, "cwnd", (cwnd * mss, ssthresh if ssthresh == INFINITE else ssthresh * mss)))

    def watch(self) -> None:
        """Keep events from now on: "state" with (old, new, why), "ended" with the step at which a segment's processing
        ended, "cwnd" with (CWND, SSTHRESH) in octets, "urgent", "icmp" with an errno, "negative advice" (R1) with the retries.
        """
        if self.events is None:
            self.events = []

    def take_events(self) -> list[tuple[int, str, Any]]:
        """What happened since last asked, once watched: (time, what, detail)."""
        if self.events is None:
            return []
        events, self.events = self.events, []
        return events

    @property
    def housekeeping(self) -> bool:
        """Only timers that change nothing a program can see are running: TIME-WAIT, keep-alive, and the probes of a window
        that its program keeps closed, as long as they are answered.
        """
        if self.state is TIME_WAIT or (self.state is FIN_WAIT_2 and self.closed_by_user):
            return True
        if self.probes or self.ack_at != NEVER or self.wait_at != NEVER:
            return False
        if self.reopened_at != NEVER and self.reopened_to == self.rcv.nxt:
            return False
        return self.timer_at == NEVER or (self.stuck and not self.retries)

    # The calls

    def open_active(self, now: int, data: bytes | None = None) -> int:
        """OPEN: send a SYN. `data`, where `fast` is set: what may go with it (RFC 7413); how many octets did."""
        return calls.open_active(self, now, data)

    def open_passive(self, now: int) -> None:
        """OPEN: wait for a SYN."""
        calls.open_passive(self, now)

    def send(self, data: bytes, now: int, urgent: bool = False, more: bool = False, record: bool = False) -> int:
        """SEND: queue data; how many octets were taken. `urgent`: its last octet is urgent (MSG_OOB); `more`: MSG_MORE;
        `record`: MSG_EOR.
        """
        return calls.send(self, data, now, urgent, more, record)

    def mark(self, told: Told, now: int) -> None:
        """Have `told(Reached, now)` called when all that is queued now was sent, when it was acknowledged, or when the
        connection ends before that.
        """
        if self.marks is None:
            self.marks = Marks()
        self.marks.add(self.outgoing.end if self.outgoing is not None else self.snd.nxt, told)
        self.marks.sent(self.snd.nxt, now)

    def recv(self, limit: int, now: int, peek: bool = False) -> bytes:
        """RECEIVE: up to `limit` octets; b"" if there are none (see `eof`)."""
        return calls.receive(self, limit, now, peek)

    def recv_urgent(self, peek: bool = False) -> bytes:
        """MSG_OOB: the urgent octet; raises OSError EINVAL or EAGAIN as Linux does."""
        return calls.receive_urgent(self, peek)

    def shutdown_read(self) -> None:
        """SHUT_RD."""
        calls.shutdown_read(self)

    def shutdown_write(self, now: int) -> None:
        """SHUT_WR: a FIN after what is queued; raises ENOTCONN."""
        calls.shutdown_write(self, now)

    def close(self, now: int) -> None:
        """The program closes the socket."""
        calls.close(self, now)

    def abort(self, now: int) -> None:
        """End at once, with a RST."""
        calls.abort(self, now)

    def info(self) -> dict[str, Any]:
        """STATUS, in the spirit of TCP_INFO."""
        return info.status(self)

    def take_error(self) -> int | None:
        """SO_ERROR: the pending errno, which is then forgotten."""
        return calls.take_error(self)

    def take_soft_error(self) -> int | None:
        """The errno of an ICMP message that did not end the connection, which is then forgotten: SO_ERROR tells it, too."""
        error, self.soft_error = self.soft_error, None
        return error

    # What a program can wait for

    @property
    def available(self) -> int:
        """Octets that recv() could return now or after the urgent mark."""
        unread = self.unread
        if unread and self.urgent is not None and not self.settings.urgent_inline and self.at_mark:
            unread -= 1
        return unread

    @property
    def before_mark(self) -> int:
        """Octets that can be read up to the urgent one, where that is still to come (tcp_inq)."""
        urgent = self.urgent
        if urgent is not None and not self.settings.urgent_inline:
            ahead = urgent.mark - calls.read_position(self)
            if 0 <= ahead < self.unread:
                return ahead
        return self.available

    @property
    def eof(self) -> bool:
        """Everything was read and nothing more will come."""
        return not self.available and (self.rcv.fin or self.no_more_reads or self.state is CLOSED)

    @property
    def readable(self) -> bool:
        """recv() would return something, or tell the end or an error, at once."""
        return self.available > 0 or self.error is not None or self.eof

    @property
    def writable(self) -> bool:
        """send() would take something, or tell an error, at once: a third of the buffer is free, as in Linux."""
        if self.opening or self.state is LISTEN:
            return self.fast is not None and self.fast.deferred
        if self.state is CLOSED or self.fin_queued or self.error is not None:
            return True
        if self.has_room:
            return True
        self.short_of_space = True
        return False

    @property
    def exceptional(self) -> bool:
        """An urgent octet is here to be read (POLLPRI)."""
        return self.urgent is not None and self.urgent.octet is not None and not self.urgent.taken

    @property
    def at_mark(self) -> bool:
        """sockatmark(): the next octet to read is the urgent one."""
        return self.urgent is not None and self.urgent.mark == calls.read_position(self)

    @property
    def opening(self) -> bool:
        """The three-way handshake is not over."""
        return self.state is SYN_SENT or (self.state is SYN_RECEIVED and (self.fast is None or not self.fast.usable))

    @property
    def flushed(self) -> bool:
        """Everything sent, a FIN too, is acknowledged (what a close that lingers waits for)."""
        return self.outgoing is None and (not self.fin_queued or self.fin_acknowledged or self.state is CLOSED)

    # Options, and what other layers tell

    def configure(self, now: int, **changes: Any) -> None:
        """Change settings of this connection (`nodelay=True`, `keepalive_idle=...`); they act at once."""
        self.settings = self.settings.replace(**changes)
        if "md5_keys" in changes or "ao_keys" in changes:
            self.signature = signature_for(self.settings, self.remote, self.signature)
        if ("maximum_pacing_rate" in changes or "paced" in changes) and not self.opening and self.pacer is None and pacing.wanted(self):
            self.pacer = pacing.Pacer()
        if "receive_buffer" in changes:
            self.rcv.buff = self.settings.receive_buffer
        if changes.get("window_clamp"):
            window.clamp(self, self.settings.window_clamp)
        if not self.opening and self.state is not CLOSED and any(name.startswith("keepalive") for name in changes):
            handshake.watch_idle(self, now)
        if changes.get("nodelay") and self.state in HAS_DATA:
            send_new(self, now, nagle=False)  # what a cork holds back goes, even while it stays in
        if not changes.keys() <= {"keepalive", "local_congestion"}:
            output(self, now)  # data that Nagle or a cork held back

    def acknowledge_quickly(self, wanted: int, now: int) -> None:
        """TCP_QUICKACK: 0: acknowledgments wait for data to ride on; else they do not, and one that waits may go out; where
        the number is even, only that one."""
        delayed_ack.set_quick(self, wanted)
        if self.ack_now:
            output(self, now)

    def icmp_error(self, error: int, hard: bool, now: int, sequence: int | None = None, no_way: bool = False) -> None:
        """ICMP says that a segment did not arrive; `sequence` is that of the segment it quotes. `no_way`: a router knew none."""
        if no_way and sequence is not None:
            icmp.connectivity_disrupted(self, sequence, now)
        icmp.icmp_error(self, error, hard, now, sequence)

    def path_mtu(self, mtu: int, now: int, sequence: int | None = None) -> None:
        """The path carries packets of at most `mtu` octets."""
        icmp.path_mtu(self, mtu, now, sequence)

    def takes_new_syn(self, header: TCP) -> bool:
        """In TIME-WAIT: this SYN begins a new incarnation (MAY-2 and RFC 6191), so forget this one and let a listener
        have the segment, with a number `above` our SND.NXT."""
        if self.state is not TIME_WAIT or header.flags & (SYN | RST | ACK) != SYN:
            return False
        segment = Segment.read(header, b"", self.rcv.nxt, self.snd.una)
        if self.timestamps and segment.ts_val is not None and segment.ts_val != self.ts_recent:
            return before(self.ts_recent, segment.ts_val)
        return unwrap(header.sequence, self.rcv.nxt) > self.rcv.nxt
