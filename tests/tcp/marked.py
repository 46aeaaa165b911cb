"""One end by hand and one real, with the ECN field of each datagram: for the tests of RFC 3168 and RFC 9768."""

from dataclasses import dataclass, field
from typing import Any

from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.settings import TcpSettings
from tests.tcp.builders import MSS_1000, PLAIN, A, B

LETTERS = "FSRP.UEWA"
NOT_ECT, ECT_1, ECT_0, CE = range(4)
ASKING, GRANTING, OFF = (PLAIN.replace(ecn=mode) for mode in (1, 2, 0))
ACCURATE = PLAIN.replace(ecn=3)


@dataclass
class Marked:
    """One connection, and its peer by hand; segments with the ECN field of their datagrams: "SEW 0 noecn"."""

    settings: TcpSettings
    passive: bool = False
    now: int = 0
    sent: list[str] = field(default_factory=list)
    headers: list[TCP] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = Connection(A, B, self.settings, iss=1000, sink=self._sent)
        if self.passive:
            self.connection.open_passive(0)
        else:
            self.connection.open_active(0)

    def _sent(self, connection: Any, header: TCP, text: bytes, cause: str | None) -> None:
        letters = "".join(letter for bit, letter in enumerate(LETTERS) if header.flags & 1 << bit)
        self.headers.append(header)
        self.sent.append(f"{letters} {header.sequence - 1000}({len(text)}) {('noecn', 'ect1', 'ect0', 'ce')[connection.ect]}")

    def write(self, letters: str, seq: int, ack: int | None = None, size: int = 0, ecn: int = NOT_ECT, options: bytes = b"", win: int = 32768) -> list[str]:
        """A segment of the peer; what it brings about."""
        self.sent.clear()
        header = TCP(
            source=B[1], destination=A[1], sequence=seq, window=win, options=TCPOptions(options),
            acknowledgment=0 if ack is None else 1000 + ack,
        )  # fmt: skip
        flags = sum(1 << LETTERS.index(letter) for letter in letters) | (16 if ack is not None else 0)
        self.connection.arriving = ecn
        self.connection.receive(header.replace(flags=flags), bytes(size), self.now)
        return list(self.sent)

    def wait(self, duration: int) -> list[str]:
        """Time passes; what is sent."""
        self.sent.clear()
        until = self.now + duration
        while self.connection.deadline is not None and self.connection.deadline <= until:
            self.now = max(self.now, self.connection.deadline)
            self.connection.timeout(self.now)
        self.now = until
        return list(self.sent)

    def send(self, size: int) -> list[str]:
        """The program writes."""
        self.sent.clear()
        self.connection.send(bytes(size), self.now)
        return list(self.sent)

    @property
    def agreed(self) -> bool:
        return self.connection.ecn is not None and self.connection.ecn.agreed


def connected(settings: TcpSettings = ASKING, answer: str = "SE") -> Marked:
    """A client whose server grants ECN."""
    marked = Marked(settings)
    marked.write(answer, 0, ack=1, options=MSS_1000)
    return marked


def accepted(settings: TcpSettings = GRANTING, syn: str = "SEW") -> Marked:
    """A server whose client asked for ECN."""
    marked = Marked(settings, passive=True)
    marked.write(syn, 0, options=MSS_1000)
    marked.write("", 1, ack=1)
    return marked


def windows(client: Marked) -> tuple[int, int, str]:
    control: Any = client.connection.congestion
    return control.cwnd, control.ssthresh, client.connection.recovery.state.name
