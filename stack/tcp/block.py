"""The transmission control block: the variables of a connection under their RFC names (RFC 9293 section 3.3.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.tcp.congestion.base import CongestionControl, Sample
from stack.tcp.congestion.validation import Usage
from stack.tcp.counters import Counters
from stack.tcp.receiving.autotune import RightSizing
from stack.tcp.recovery.rack import Rack
from stack.tcp.recovery.retransmit_queue import RetransmitQueue
from stack.tcp.recovery.rtt import RoundTrip
from stack.tcp.recovery.states import Recovery
from stack.tcp.recovery.timer import NEVER as NEVER
from stack.tcp.sending import send_space
from stack.tcp.sending.chronograph import Chronograph
from stack.tcp.state import CLOSED, TRANSITIONS, State

if TYPE_CHECKING:
    from stack.tcp.buffers import ReceiveBuffer, SendBuffer
    from stack.tcp.congestion.ecn import Ecn
    from stack.tcp.congestion.rate import DeliveryRate
    from stack.tcp.formats.options import TCPOptions
    from stack.tcp.formats.tcp import TCP
    from stack.tcp.marks import Marks
    from stack.tcp.opening.fastopen import FastOpen
    from stack.tcp.opening.listener import Listener
    from stack.tcp.receiving.challenge import ChallengeLimit
    from stack.tcp.receiving.reassembly import Reassembly
    from stack.tcp.sending.mtu_search import Search
    from stack.tcp.sending.pacing import Pacer
    from stack.tcp.sending.transmit import Piece
    from stack.tcp.settings import TcpSettings
    from stack.tcp.signing.signatures import Signature
    from stack.tcp.urgent import Urgent

Endpoint = tuple[Any, int]  # (address, port); an address is octets: 4 of IPv4 or 16 of IPv6
LONG_AGO = -NEVER
_UNOPENED = CongestionControl(0, 0)  # until the segment size is agreed on


class Send:
    """The send sequence variables (table 2), unwrapped; windows in octets, scaled already."""

    __slots__ = ("max_wnd", "mss", "nxt", "scale", "small", "una", "up", "wl1", "wl2", "wnd")

    def __init__(self, iss: int) -> None:
        self.una = iss
        self.nxt = iss
        self.wnd = 0
        self.up = iss  # SND.UP: the octet after the urgent data; urgent mode while it is after SND.UNA
        self.wl1 = 0
        self.wl2 = 0
        self.max_wnd = 0  # MAX.SND.WND (RFC 5961 section 5)
        self.mss = 536  # the effective send MSS less the options of every segment
        self.scale = 0  # how the peer's window field is scaled
        self.small = iss  # the end of the last segment that was not full


class Receive:
    """The receive sequence variables (table 3), and those of the window (`window.py`).

    `edge` is the right edge of the largest window offered, which never moves to the left (SHLD-14).
    """

    __slots__ = (
        "acked", "advmss", "buff", "clamp", "dsack", "edge", "fin", "full", "mss", "nxt", "offered", "out_of_order", "ratio",
        "scale", "scale_offered", "scaling", "selected", "ssthresh",
    )  # fmt: skip

    def __init__(self, settings: TcpSettings, mss: int) -> None:
        self.nxt = 0
        self.edge = 0
        self.acked = 0  # Last.ACK.sent: RCV.NXT when the window was offered last (Linux's rcv_wup)
        self.offered = 0  # the window of that segment (rcv_wnd)
        self.buff = settings.receive_buffer  # octets of memory (sk_rcvbuf)
        self.ratio = 128  # how much of the memory is text, in 1/256 (scaling_ratio): a half, until there was some
        self.clamp = 0  # window_clamp: the largest window to offer
        self.ssthresh = 0  # rcv_ssthresh: the largest to offer for now
        self.selected: int | None = None  # the window of the ACK that goes out now, where it was computed to decide on that ACK
        self.mss = mss  # what our SYN announces
        self.advmss = mss  # the same, less the options of every segment
        self.full = 536  # rcv_mss: what counts as a full segment of the peer's
        self.scale = 0  # how our window field is scaled, if the peer scales too
        self.scale_offered: int | None = None  # the scale that our SYN offered
        self.scaling = False  # both sides offered window scaling
        self.fin = False  # the peer's FIN was taken; RCV.NXT is after it
        self.dsack: tuple[int, int] | None = None  # a duplicate to report (RFC 2883)
        self.out_of_order = 0  # segments that came above a gap (rcv_ooopack)

    @property
    def wnd(self) -> int:
        """RCV.WND: what was offered and not yet used."""
        wnd = self.acked + self.offered - self.nxt
        return wnd if wnd > 0 else 0


class Acknowledging:
    """What decides when an ACK goes out (`delayed_ack.py`), Linux's icsk_ack."""

    __slots__ = (
        "answers", "ato", "compressed", "delay", "duplicates", "duplicates_at", "heard", "last_size", "no_memory", "pingpong",
        "pushed", "quick", "scheduled",
    )  # fmt: skip

    def __init__(self) -> None:
        self.scheduled = False  # something has come that was not acknowledged
        self.pushed = 0  # 1: a small segment, or the end of a write; 3: two of them
        self.no_memory = False  # what came found no memory: the window is shut
        self.quick = 0  # ACKs that are not delayed
        self.pingpong = 0  # data is answered by data: 1
        self.answers = 0  # which went out so soon after data that it may become so
        self.ato = 0  # the delay; 0: no data has come
        self.heard = 0  # when data came
        self.last_size = 0  # of the last segment that may have been a full one
        self.delay = 0  # of the timer that runs
        self.compressed = 0  # ACKs of segments above a gap that wait to be one
        self.duplicates = 0  # such ACKs that did not wait
        self.duplicates_at = -1  # RCV.NXT then


class Block:
    """The variables, and no behaviour but the check of every transition."""

    __slots__ = (
        "ack_at",
        "ack_cause",
        "ack_check",
        "ack_now",
        "ack_sample",
        "acks",
        "arriving",
        "backoff",
        "bare_ack",
        "challenges",
        "chrono",
        "closed_by_user",
        "congestion",
        "counters",
        "data_segments_in",
        "data_segments_out",
        "deadline",
        "ecn",
        "ect",
        "error",
        "events",
        "fast",
        "fin",
        "fin_queued",
        "heard",
        "held",
        "incoming",
        "irs",
        "iss",
        "keep_at",
        "last_challenge",
        "last_sent",
        "listener",
        "local",
        "marks",
        "more",
        "mtu_search",
        "no_more_reads",
        "notify",
        "options",
        "options_echo",
        "options_tick",
        "outbox",
        "outgoing",
        "pacer",
        "passive",
        "path_mss",
        "peer_mss",
        "pending",
        "pieces",
        "poke",
        "probes",
        "probing_since",
        "progress",
        "pushed",
        "rack",
        "rate",
        "rcv",
        "recovery",
        "remote",
        "reopened_at",
        "reopened_to",
        "reset_due",
        "retransmitted",
        "retries",
        "rtt",
        "rtx",
        "sack",
        "sampled",
        "segments_in",
        "segments_out",
        "send_memory",
        "settings",
        "short_of_space",
        "signature",
        "sink",
        "sizing",
        "snd",
        "soft_error",
        "stamped",
        "state",
        "stuck",
        "syn_due",
        "timer_at",
        "timestamps",
        "ts_offset",
        "ts_recent",
        "ts_recent_at",
        "urgent",
        "usage",
        "wait_at",
    )  # fmt: skip

    def __init__(
        self, local: Endpoint, remote: Endpoint | None, settings: TcpSettings, iss: int, mss: int, ts_offset: int,
        counters: Counters | None = None,
    ) -> None:  # fmt: skip
        self.counters = counters if counters is not None else Counters()  # of the host
        self.local = local
        self.remote = remote
        self.settings = settings
        self.state = CLOSED
        self.iss = iss
        self.irs = 0
        self.snd = Send(iss)
        self.rcv = Receive(settings, mss)
        self.acks = Acknowledging()
        self.sizing = RightSizing()
        self.passive = False  # came from LISTEN
        self.bare_ack = False  # half open: the ACK came, and found a listener that waits for data, or is full
        self.fast: FastOpen | None = None
        self.signature: Signature | None = None
        self.peer_mss = 0  # SendMSS: what the peer announced
        self.mtu_search: Search | None = None  # path MTU discovery by probing
        self.path_mss = mss  # what the path carries: the MTU less fixed headers
        self.outgoing: SendBuffer | None = None
        self.incoming: ReceiveBuffer | None = None
        self.held: Reassembly | None = None
        self.urgent: Urgent | None = None
        self._begin_sending()
        # Closing
        self.fin_queued = False  # the user has no more to send
        self.fin: int | None = None  # where our FIN stands, once sent
        self.closed_by_user = False  # the socket is gone: an orphan
        self.no_more_reads = False  # SHUT_RD
        self.error: int | None = None  # errno for the program, until it is taken
        self.soft_error: int | None = None  # errno of an ICMP message that did not end the connection
        # What output.py is to make
        self.ack_now = False
        self.ack_check = False  # text came: acknowledge it now or later, unless data goes out that does
        self.ack_cause: str | None = None
        self.syn_due: str | None = None  # send the SYN, or SYN,ACK, again, for this reason
        self.reset_due: tuple[int, int | None, str | None] | None = None  # (SEQ, ACK or None, cause)
        self._begin_timers()
        self._begin_options(ts_offset)
        # Who is told
        self.sink: Callable[[Any, TCP, bytes, str | None], None] | None = None
        self.poke: Callable[[Any], None] | None = None
        self.notify: Callable[[], None] | None = None
        self.short_of_space = False  # send() took less than it was given: tell when there is room
        self.listener: Listener | None = None  # who is to accept this connection
        self.outbox: list[tuple[TCP, bytes, str | None]] | None = None
        self.events: list[tuple[int, str, Any]] | None = None  # kept once somebody watches
        self.sampled = 0  # the congestion window that the events told last

    def _begin_options(self, ts_offset: int) -> None:
        """What the SYNs agree on, and the ECN fields."""
        self.sack = False
        self.ecn: Ecn | None = None
        self.arriving = 0  # the ECN field of the datagram that brought the current segment, set by whoever has it
        self.ect = 0  # and for the datagram of the segment that is made
        self.timestamps = False
        self.ts_offset = ts_offset
        self.ts_recent = 0
        self.ts_recent_at = 0
        self.options: TCPOptions | None = None  # the last timestamps option made, for this tick of the clock and this echo
        self.options_tick = self.options_echo = 0

    def _begin_sending(self) -> None:
        """What is to be sent, what was, and what came of it."""
        self.pieces: deque[Piece] | None = None  # of `outgoing`, what was not sent yet
        self.send_memory = self.settings.send_buffer  # octets of memory (sk_sndbuf), where autotuned
        self.stamped = NEVER  # when the last segment left, of any kind
        self.pushed = 0  # up to where data was pushed
        self.rtx = RetransmitQueue(self.counters)
        self.recovery = Recovery(self.settings.reordering)
        self.rack = Rack()
        self.usage = Usage()
        self.pacer: Pacer | None = None  # where data is paced
        self.chrono = Chronograph()
        self.data_segments_in = 0
        self.data_segments_out = 0
        self.segments_out = 0
        self.segments_in = 0
        self.rate: DeliveryRate | None = None  # kept where the congestion control wants it
        self.congestion = _UNOPENED
        self.ack_sample: Sample | None = None  # made with the first ACK of data
        self.rtt = RoundTrip(self.settings.initial_rto)
        self.more = False  # MSG_MORE: the call that is being made is followed by another
        self.marks: Marks | None = None  # places in the stream that somebody wants to hear of

    def _begin_timers(self) -> None:
        """The timers, as the times at which they go off (NEVER: not set), and what they count."""
        self.deadline: int | None = None  # no later than the first of them
        self.timer_at = NEVER
        self.pending = 0  # what is to happen then, see timer.py
        self.stuck = False  # the last probe was answered by a window as closed as before
        self.reopened_at = NEVER  # until when the peer is sure to send, or to probe, now that our window is open again
        self.reopened_to = 0  # RCV.NXT then
        self.ack_at = NEVER  # delayed ACK
        self.wait_at = NEVER  # 2 MSL, the end of FIN-WAIT-2
        self.keep_at = NEVER
        self.retries = 0  # times that the front of the queue was sent again; window probes without an answer
        self.probing_since = 0  # when the window probes began; 0: none
        self.backoff = 0  # doublings of the interval between window probes
        self.probes = 0  # keep-alive probes without an answer
        self.heard = 0  # when a segment last came
        self.progress = 0  # since when the peer has owed an acknowledgment
        self.last_sent = 0
        self.last_challenge = LONG_AGO  # when an ACK went out that a bad segment had provoked
        self.challenges: ChallengeLimit | None = None  # of the host
        self.retransmitted = 0  # segments sent again, for `info`

    def enter(self, state: State, now: int) -> None:
        """Change state. Raises AssertionError for a transition that figure 5 does not have."""
        why = TRANSITIONS.get((self.state, state))
        if why is None:
            raise AssertionError(f"no transition {self.state.value} → {state.value}")
        if self.events is not None:
            self.events.append((now, "state", (self.state, state, why)))
        self.state = state

    def arm(self, at: int) -> None:
        """Some timer goes off at `at`: the deadline is no later. A deadline that is too early costs one look."""
        if self.deadline is None or at < self.deadline:
            self.deadline = at
            if self.poke is not None:
                self.poke(self)

    def wake(self) -> None:
        """Something that a program may wait for has changed."""
        if self.notify is not None:
            self.notify()

    def wake_writer(self) -> None:
        """Tell the program that there is room to write again, once a third of the buffer is free, as Linux does."""
        if send_space.has_room(self):
            self.short_of_space = False
            self.wake()

    @property
    def unsent(self) -> bool:
        """Something waits to be sent for the first time."""
        return bool(self.pieces) or (self.fin_queued and self.fin is None)

    @property
    def not_sent(self) -> int:
        """Octets that are queued and were never sent."""
        return send_space.not_sent(self)

    @property
    def has_room(self) -> bool:
        """Whether poll() says that one may write."""
        return send_space.has_room(self)

    def relative(self, seq: int, size: int = 0) -> str:
        """Our sequence numbers as people read them: `1461:2921`."""
        return f"{seq - self.iss}:{seq - self.iss + size}"

    @property
    def fin_acknowledged(self) -> bool:
        """Our FIN was sent and acknowledged."""
        return self.fin is not None and self.snd.una > self.fin

    @property
    def unread(self) -> int:
        """RCV.USER: octets received and not yet read."""
        return 0 if self.incoming is None else self.incoming.size
