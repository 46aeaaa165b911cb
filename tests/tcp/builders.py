"""What the TCP tests are written with: two connections and a path between them in virtual time, or one and a pen."""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from stack.base.address import IPv4Address
from stack.base.quantity import MILLISECOND
from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED

MS = MILLISECOND
A = (IPv4Address("10.0.0.1"), 40000)
B = (IPv4Address("10.0.0.2"), 80)
PLAIN = TcpSettings(timestamps=False, window_scaling=False, sack=False, quick_acks=0, congestion="reno")
LIMIT = 4000 * 1000 * MS

Segment = tuple[TCP, bytes, str | None]


@dataclass
class Sent:
    """One segment on the path: when, by whom ("a" or "b"), what, why, and whether it arrives."""

    time: int
    side: str
    header: TCP
    text: bytes
    cause: str | None
    lost: bool = False

    def __str__(self) -> str:
        arrow = ("→" if self.side == "a" else "←") if not self.lost else "✗"
        return f"{self.time / MS:9.1f} {arrow} {shown(self.header, self.text)}" + (f"  # {self.cause}" if self.cause else "")


def shown(header: TCP, text: bytes) -> str:
    """A segment in a few words: flags, numbers as they are, length."""
    names = "".join(letter for letter, bit in zip("FSRP.U", (1, 2, 4, 8, 16, 32), strict=True) if header.flags & bit)
    return f"{names} {header.sequence}({len(text)}) ack {header.acknowledgment} win {header.window}"


@dataclass
class Pair:
    """Two connections and the path between them. `fate(n, sent)` gives the delays at which copies arrive, or None."""

    a: Connection
    b: Connection
    delay: int = 10 * MS
    fate: Callable[[int, Sent], list[int] | None] | None = None
    now: int = 0
    log: list[Sent] = field(default_factory=list)
    _flying: list[tuple[int, int, Connection, TCP, bytes]] = field(default_factory=list)
    _order: int = 0

    def flush(self) -> None:
        """Put on the path what the connections have made."""
        for side, one, other in (("a", self.a, self.b), ("b", self.b, self.a)):
            for header, text, cause in one.take_output():
                sent = Sent(self.now, side, header, text, cause)
                delays: list[int] | None = [self.delay]
                if self.fate is not None:
                    delays = self.fate(len(self.log), sent)
                sent.lost = not delays
                self.log.append(sent)
                for delay in delays or []:
                    self._order += 1
                    heapq.heappush(self._flying, (self.now + delay, self._order, other, header, text))

    def step(self, until: int) -> bool:
        """The next event, if it is before `until`."""
        self.flush()
        times = [c.deadline for c in (self.a, self.b) if c.deadline is not None]
        times += [self._flying[0][0]] if self._flying else []
        if not times or min(times) > until:
            return False
        self.now = max(self.now, min(times))
        if self._flying and self._flying[0][0] <= self.now:
            _, _, to, header, text = heapq.heappop(self._flying)
            to.receive(header, text, self.now)
        else:
            for one in (self.a, self.b):
                if one.deadline is not None and one.deadline <= self.now:
                    one.timeout(self.now)
        self.flush()
        return True

    def run(self, duration: int | None = None) -> None:
        """Run for `duration`, or until nothing but housekeeping is left."""
        until = self.now + (LIMIT if duration is None else duration)
        self.flush()
        while (duration is not None or self._flying or not (self.a.housekeeping and self.b.housekeeping)) and self.step(until):
            pass
        if duration is not None:
            self.now = until

    def transfer(self, data: bytes, piece: int = 65536, forward: bool = True) -> bytes:
        """`data` is sent, read as it comes, until all is read or the connection ends."""
        source, target = (self.a, self.b) if forward else (self.b, self.a)
        got = bytearray()
        at = 0
        while len(got) < len(data):
            if at < len(data) and source.writable:
                at += source.send(data[at : at + piece], self.now)
            if not self.step(LIMIT) or CLOSED in (source.state, target.state):
                break
            got += target.recv(1 << 20, self.now)
        got += target.recv(1 << 24, self.now)
        return bytes(got)

    def ladder(self) -> str:
        """What was sent, a line each."""
        return "\n".join(str(sent) for sent in self.log)


def pair(settings: TcpSettings | None = None, other: TcpSettings | None = None, *, iss: tuple[int, int] = (1000, 5000), **path: object) -> Pair:
    """A client that has not begun and a server that listens."""
    settings = settings or TcpSettings(prediction=True)
    a = Connection(A, B, settings, iss=iss[0])
    b = Connection(B, A, other or settings, iss=iss[1])
    b.open_passive(0)
    return Pair(a, b, **path)  # type: ignore[arg-type]


def established(settings: TcpSettings | None = None, other: TcpSettings | None = None, **more: object) -> Pair:
    """A pair whose handshake is over."""
    both = pair(settings, other, **more)  # type: ignore[arg-type]
    fate, both.fate = both.fate, None
    both.a.open_active(0)
    both.run()
    both.fate = fate
    both.log.clear()
    return both


@dataclass
class Pen:
    """One connection, and a peer whose segments are written by hand. Numbers of both sides begin at 0."""

    connection: Connection
    now: int = 0
    irs: int = 0

    def write(self, flags: str, seq: int, ack: int | None = None, text: bytes = b"", win: int = 65535, options: bytes = b"", urgent: int = 0) -> str | None:
        """A segment from the peer; where its processing ended."""
        bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32}[letter] for letter in flags)
        header = TCP(
            source=B[1], destination=A[1], sequence=seq + self.irs & 0xFFFFFFFF, window=win, urgent_pointer=urgent,
            acknowledgment=(ack or 0) + self.connection.iss & 0xFFFFFFFF if ack is not None else 0, options=TCPOptions(options),
        ).replace(flags=bits | (16 if ack is not None else 0))  # fmt: skip
        return self.connection.receive(header, text, self.now)

    def read(self) -> list[str]:
        """What the connection has sent: `flags seq:end(len) ack n`, relative."""
        lines = []
        for header, text, _ in self.connection.take_output():
            names = "".join(letter for letter, bit in zip("FSRP.U", (1, 2, 4, 8, 16, 32), strict=True) if header.flags & bit)
            seq = header.sequence - self.connection.iss & 0xFFFFFFFF if header.sequence or not header.flags & 4 else 0
            ack = header.acknowledgment - self.irs & 0xFFFFFFFF
            lines.append(f"{names} {seq}:{seq + len(text)}({len(text)})" + (f" ack {ack}" if header.flags & 16 else ""))
        return lines

    def wait(self, duration: int) -> None:
        """Let time pass."""
        until = self.now + duration
        while self.connection.deadline is not None and self.connection.deadline <= until:
            self.now = max(self.now, self.connection.deadline)
            self.connection.timeout(self.now)
        self.now = until


MSS_1000 = b"\2\4\x03\xe8"


def client(settings: TcpSettings = PLAIN, options: bytes = MSS_1000, win: int = 32768) -> Pen:
    """A connection that connected, and the pen of its server."""
    pen = Pen(Connection(A, B, settings, iss=1000))
    pen.connection.open_active(0)
    pen.write("S", 0, ack=1, win=win, options=options)
    pen.connection.snd.wl1 += 1  # as if a segment had come since: the first one after a SYN,ACK always sets the window
    pen.read()
    return pen


def server(settings: TcpSettings = PLAIN, options: bytes = MSS_1000, win: int = 32768) -> Pen:
    """A connection that was connected to, and the pen of its client."""
    pen = Pen(Connection(A, B, settings, iss=1000))
    pen.connection.open_passive(0)
    pen.write("S", 0, win=win, options=options)
    pen.write(".", 1, ack=1, win=win)
    pen.read()
    return pen


SACK_OK = b"\2\4\x03\xe8\4\2"
SENDER = PLAIN.replace(sack=True)


def sender(settings: TcpSettings = SENDER, segments: int = 10, options: bytes = SACK_OK, rtt: int = 100 * MS, win: int = 65535) -> Pen:
    """A client over a path of `rtt`, with `segments` of 1000 octets outstanding, sent now."""
    pen = Pen(Connection(A, B, settings, iss=1000))
    pen.connection.open_active(0)
    pen.now = rtt
    pen.write("S", 0, ack=1, win=win, options=options)
    pen.connection.snd.wl1 += 1  # as in `client`
    pen.read()
    if segments:
        pen.connection.send(bytes(1000 * segments), pen.now)
        assert len(pen.read()) == min(segments, settings.initial_segments)
    pen.wait(rtt)
    return pen


def sacks(pen: Pen, *blocks: tuple[int, int]) -> bytes:
    """The option that says that `blocks` were received."""
    iss = pen.connection.iss
    octets = b"".join(struct.pack(">II", iss + left, iss + right) for left, right in blocks)
    return b"\1\1\5" + bytes((2 + len(octets),)) + octets
