"""Two endpoints under calls, segments, faults and time in any order, against what must hold whatever happens (RFC 9293).

Hypothesis draws the calls of two programs, the fate of each segment (delivered out of turn, repeated even long after, lost)
and the waits between. After every step: streams whole, windows kept, sequence numbers legal, timers bounded. At the end the
path loses what it was told to lose, and still everything arrives, or an error is told.
"""

from __future__ import annotations

import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stack.base.quantity import SECOND
from stack.tcp.connection import Connection
from stack.tcp.formats.options import MSS, WindowScale
from stack.tcp.formats.tcp import TCP
from stack.tcp.seq import unwrap
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT
from tests.tcp.builders import MS, A, B

FIN, SYN, RST, ACK = 1, 2, 4, 16
REST = 1_000_000 * SECOND  # a third of all segments lost, one in flight at a time, each loss waited for: long, but not for ever
BOUND = 7300 * SECOND  # the longest timer: keep-alive's two hours

SETTINGS = st.builds(
    lambda rfc, **chosen: (TcpSettings.rfc() if rfc else TcpSettings.linux()).replace(**chosen), st.booleans(),
    timestamps=st.booleans(), sack=st.booleans(), window_scaling=st.booleans(), nodelay=st.booleans(),
    receive_buffer=st.sampled_from([3000, 20_000, 131_072]), fixed_receive_buffer=st.booleans(),
    initial_segments=st.sampled_from([1, 4, 10]), maximum_segment=st.sampled_from([None, 100, 536]),
    keepalive=st.booleans(), prediction=st.booleans(), rack=st.booleans(), loss_probe=st.booleans(), frto=st.booleans(),
    window_probe_octet=st.booleans(), ecn=st.sampled_from([0, 1, 2, 3]), mtu_probing=st.sampled_from([0, 1, 2]),
    congestion=st.sampled_from(["cubic", "cubic-hystart++", "reno", "reno-abc", "bbr", "dctcp"]),
    delayed_ack=st.sampled_from([0, 40 * MS]),
)  # fmt: skip


class End:
    """One end: the connection, what its program has written and read, what it has sent and been offered."""

    def __init__(self, name: str, connection: Connection, seed: int) -> None:
        self.name = name
        self.connection = connection
        self.words = random.Random(seed)
        self.written = bytearray()
        self.read = bytearray()
        self.reads = True
        self.shut = False  # will write no more
        self.failed = False  # its program was told an error, or aborted
        self.edge = connection.iss + 1  # the right edge of the window that the peer has offered, as far as we were told
        self.peer_scale = 0
        self.sent_to = connection.iss  # the highest sequence number sent, and one
        self.acknowledged: int | None = None  # the highest that we have acknowledged

    def write(self, size: int, now: int) -> None:
        """The program writes."""
        data = self.words.randbytes(size)
        try:
            self.written += data[: self.connection.send(data, now)]
        except OSError:
            self.failed = self.failed or self.connection.state is not CLOSED or not self.shut

    def take(self, limit: int, now: int) -> None:
        """The program reads."""
        self.read += self.connection.recv(limit, now)
        if self.connection.take_error() is not None:
            self.failed = True


class Model(RuleBasedStateMachine):
    """The calls, the path, and the invariants."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.flying: list[tuple[End, TCP, bytes]] = []  # to whom, and what
        self.past: list[tuple[End, TCP, bytes]] = []

    @initialize(one=SETTINGS, other=SETTINGS, iss=st.integers(0, 2**32 - 1), simultaneous=st.booleans(), seed=st.integers(0, 99))
    def opened(self, one: TcpSettings, other: TcpSettings, iss: int, simultaneous: bool, seed: int) -> None:
        self.a = End("a", Connection(A, B, one, iss=iss), seed)
        self.b = End("b", Connection(B, A, other, iss=iss * 31 & 0xFFFFFFFF), seed + 1)
        self.ends = {"a": self.a, "b": self.b}
        self.a.connection.open_active(0)
        if simultaneous:
            self.b.connection.open_active(0)
        else:
            self.b.connection.open_passive(0)
        self.flush()

    # What the path does

    def other(self, end: End) -> End:
        return self.b if end is self.a else self.a

    def flush(self) -> None:
        for end in self.ends.values():
            for header, text, _ in end.connection.take_output():
                self.legal(end, header, text)
                self.flying.append((self.other(end), header, text))
                self.past.append(self.flying[-1])

    def arrive(self, segment: tuple[End, TCP, bytes]) -> None:
        end, header, text = segment
        if header.flags & SYN:
            scale = next((option.shift for option in header.options if isinstance(option, WindowScale)), None)
            both = scale is not None and end.connection.settings.window_scaling
            end.peer_scale = min(scale, 14) if both and scale is not None else 0
        if header.flags & ACK and not header.flags & RST:
            window = header.window << (0 if header.flags & SYN else end.peer_scale)
            end.edge = max(end.edge, unwrap(header.acknowledgment, end.connection.snd.una) + window)
        elif header.flags & SYN:
            end.edge = max(end.edge, end.connection.iss + 1 + header.window)
        end.connection.receive(header, text, self.now)
        self.flush()

    def legal(self, end: End, header: TCP, text: bytes) -> None:
        """A segment that leaves: its numbers, its text, the window."""
        connection = end.connection
        if header.flags & RST:
            return
        seq = unwrap(header.sequence, end.sent_to)
        first = connection.iss + 1
        if header.flags & SYN:
            assert seq == connection.iss, "a SYN somewhere else"
            assert any(isinstance(option, MSS) for option in header.options)
            seq += 1
        if text:
            at = seq - first
            assert at >= 0
            assert text == end.written[at : at + len(text)], "text that was not written there"
            assert seq + len(text) <= end.edge + (connection.snd.wnd == 0), "beyond the window"  # and a probe's octet
        if header.flags & FIN:
            assert end.shut, "a FIN that nobody asked for"
            assert seq + len(text) == first + len(end.written), "a FIN before the end"
        end.sent_to = max(end.sent_to, seq + len(text) + bool(header.flags & FIN))
        if header.flags & ACK and connection.state is not CLOSED:
            sender = self.other(end)
            acknowledged = unwrap(header.acknowledgment, sender.sent_to)
            assert acknowledged <= sender.sent_to, "an acknowledgment of what was not sent"
            assert end.acknowledged is None or acknowledged >= end.acknowledged, "an acknowledgment taken back"
            end.acknowledged = acknowledged

    @precondition(lambda self: self.flying)
    @rule(at=st.integers(0, 1000))
    def delivers(self, at: int) -> None:
        self.arrive(self.flying.pop(at % len(self.flying)))

    @precondition(lambda self: self.flying)
    @rule(count=st.integers(1, 40))
    def delivers_in_order(self, count: int) -> None:
        for _ in range(min(count, len(self.flying))):
            self.arrive(self.flying.pop(0))

    @precondition(lambda self: self.flying)
    @rule(at=st.integers(0, 1000))
    def loses(self, at: int) -> None:
        self.flying.pop(at % len(self.flying))

    @precondition(lambda self: self.past and self.now < 600 * SECOND)
    @rule(at=st.integers(0, 1000))
    def repeats_something_old(self, at: int) -> None:
        self.arrive(self.past[-1 - at % len(self.past)])

    @rule(duration=st.one_of(st.integers(0, 300 * MS), st.integers(0, 70 * SECOND)))
    def waits(self, duration: int) -> None:
        self.until(self.now + duration)

    def until(self, then: int) -> None:
        for _ in range(10_000):
            due = [c.deadline for c in (self.a.connection, self.b.connection) if c.deadline is not None and c.deadline <= then]
            if not due:
                self.now = then
                return
            self.now = max(self.now, min(due))
            for end in self.ends.values():
                deadline = end.connection.deadline
                if deadline is not None and deadline <= self.now:
                    end.connection.timeout(self.now)
            self.flush()
        raise AssertionError("timers without end")

    # What the programs do

    @rule(name=st.sampled_from("ab"), size=st.sampled_from([1, 10, 700, 5000, 40_000]))
    def writes(self, name: str, size: int) -> None:
        end = self.ends[name]
        if not end.shut and end.connection.state is not LISTEN:
            end.write(size, self.now)
            self.flush()

    @rule(name=st.sampled_from("ab"), limit=st.sampled_from([1, 100, 3000, 1 << 20]))
    def reads(self, name: str, limit: int) -> None:
        if self.ends[name].reads:
            self.ends[name].take(limit, self.now)
            self.flush()

    @rule(name=st.sampled_from("ab"))
    def shuts_down(self, name: str) -> None:
        end = self.ends[name]
        if not end.shut and end.connection.state not in (CLOSED, LISTEN, SYN_SENT):
            end.shut = True
            end.connection.shutdown_write(self.now)
            self.flush()

    @precondition(lambda self: self.now > 0)
    @rule(name=st.sampled_from("ab"), aborts=st.booleans())
    def goes_away(self, name: str, aborts: bool) -> None:
        end = self.ends[name]
        if end.reads and end.connection.state not in (LISTEN, SYN_SENT, SYN_RECEIVED):
            end.shut, end.reads = True, False
            end.failed = True  # what it has not read is lost, and the peer may be told by a reset
            if aborts:
                end.connection.abort(self.now)
            else:
                end.connection.close(self.now)
            self.flush()

    # What must hold

    @invariant()
    def streams_are_whole(self) -> None:
        for end in getattr(self, "ends", {}).values():
            written = self.other(end).written
            assert end.read == written[: len(end.read)]
            assert len(end.read) + end.connection.unread <= len(written)

    @invariant()
    def timers_are_bounded(self) -> None:
        for end in getattr(self, "ends", {}).values():
            connection = end.connection
            assert connection.deadline is None or connection.deadline <= self.now + BOUND
            waits = connection.snd.nxt > connection.snd.una and connection.state not in (CLOSED, LISTEN, TIME_WAIT)
            assert not waits or connection.deadline is not None, "unacknowledged, and no timer"

    def teardown(self) -> None:
        """Progress: from here on the path loses every third segment at random, the programs read and shut down."""
        if not hasattr(self, "ends"):
            return
        draw = random.Random(len(self.past))
        end_of_time = self.now + REST
        while self.now < end_of_time:
            while self.flying:
                segment = self.flying.pop(0)
                if draw.random() > 0.3:
                    self.arrive(segment)
                self.read_and_shut()
            times = [c.deadline for c in (self.a.connection, self.b.connection) if c.deadline is not None]
            if not times or self.over():
                break
            self.until(max(self.now, min(times)))
        self.read_and_shut()
        for end in self.ends.values():
            told = end.failed or self.other(end).failed or end.connection.error is not None
            states = f"{end.name} {end.connection.state}, the other {self.other(end).connection.state}"
            assert told or end.read == self.other(end).written, f"{states}: {len(end.read)} of {len(self.other(end).written)} octets"
        self.streams_are_whole()

    def over(self) -> bool:
        return all(end.connection.state in (CLOSED, TIME_WAIT) for end in self.ends.values()) and not self.flying

    def read_and_shut(self) -> None:
        for end in self.ends.values():
            if end.reads:
                end.take(1 << 20, self.now)
            if not end.shut and end.connection.state not in (CLOSED, LISTEN, SYN_SENT):
                end.shut = True
                end.connection.shutdown_write(self.now)
        self.flush()


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, report_multiple_bugs=False, suppress_health_check=[HealthCheck.too_slow]
)
