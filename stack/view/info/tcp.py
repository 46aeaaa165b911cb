"""Info lines of TCP segments: flags, relative numbers, findings, options (RFC 9293 section 3.1)."""

from __future__ import annotations

import re

from stack.capture.analysis import Finding
from stack.capture.conversations import tcp_options
from stack.tcp.formats.tcp import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, TCP, URG
from stack.view.info.about import About, Info, speaks

FLAGS = ((FIN, "FIN"), (SYN, "SYN"), (RST, "RST"), (PSH, "PSH"), (ACK, "ACK"), (URG, "URG"), (ECE, "ECE"), (CWR, "CWR"), (AE, "AE"))

# In the order in which they stand before the line.
FINDINGS = (
    (Finding.ZERO_WINDOW_PROBE_ACK, "ZeroWindowProbeAck"),
    (Finding.ZERO_WINDOW, "ZeroWindow"),
    (Finding.ZERO_WINDOW_PROBE, "ZeroWindowProbe"),
    (Finding.DUPLICATE_ACK, "Dup ACK"),
    (Finding.KEEP_ALIVE_ACK, "Keep-Alive ACK"),
    (Finding.KEEP_ALIVE, "Keep-Alive"),
    (Finding.WINDOW_FULL, "Window Full"),
    (Finding.WINDOW_UPDATE, "Window Update"),
    (Finding.ACK_LOST_SEGMENT, "ACKed unseen segment"),
    (Finding.LOST_SEGMENT, "Previous segment not captured"),
    (Finding.OUT_OF_ORDER, "Out-Of-Order"),
    (Finding.SPURIOUS_RETRANSMISSION, "Spurious Retransmission"),
    (Finding.FAST_RETRANSMISSION, "Fast Retransmission"),
    (Finding.RETRANSMISSION, "Retransmission"),
    (Finding.REUSED_PORTS, "Port numbers reused"),
)
AGAIN = (
    Finding.RETRANSMISSION | Finding.FAST_RETRANSMISSION | Finding.SPURIOUS_RETRANSMISSION | Finding.OUT_OF_ORDER
    | Finding.LOST_SEGMENT | Finding.ACK_LOST_SEGMENT | Finding.DUPLICATE_ACK
)  # fmt: skip
HTTP = re.compile(rb"(?:(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT) \S+ HTTP/1\.[01]|HTTP/1\.[01] \d{3} [^\r\n]*)\r\n")


@speaks(TCP)
def segment(about: About) -> Info:
    """`49152 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460`."""
    header: TCP = about.header
    length = about.length
    said = HTTP.match(about.payload) if length else None
    words = numbers(about, header, length)
    peer = about.tcp.peer_base if about.tcp else 0
    flags = ", ".join(name for bit, name in FLAGS if header.flags & bit) or "<None>"
    found = findings(about)
    line = f"{found}{header.source} → {header.destination} [{flags}] {words}{options(header, peer)}"
    short = f"{flags} {words}".removesuffix(" Len=0")
    if header.flags & SYN:
        short += options(header, only=("MSS", "WS", "SACK_PERM", "TFO", "MD5"))
    elif " SLE=" in (rest := options(header, peer)):
        short += rest[rest.index(" SLE=") :]
    if said is None:
        return Info("TCP", line, kind(about, header, length), short)
    first = said[0].decode("latin-1").rstrip()
    return Info("HTTP", f"{found}{first}", kind(about, header, length, "text"), f"{first}  Seq={sequence(about, header)} Len={length}")


def sequence(about: About, header: TCP) -> int:
    """The sequence number, counted from the connection's first."""
    return header.sequence - (about.tcp.base if about.tcp else 0) & 0xFFFFFFFF


def numbers(about: About, header: TCP, length: int) -> str:
    """`Seq=1 Ack=1 Win=64256 Len=0`."""
    words = f"Seq={sequence(about, header)}"
    if header.flags & ACK:
        words += f" Ack={header.acknowledgment - (about.tcp.peer_base if about.tcp else 0) & 0xFFFFFFFF}"
    scale = about.tcp.scale if about.tcp and not header.flags & SYN else 1
    words += f" Win={header.window * max(scale, 1)}"
    if header.flags & URG:
        words += f" Urg={header.urgent_pointer}"
    return f"{words} Len={length}"


def findings(about: About) -> str:
    """`[TCP Retransmission] ` and the like: what the conversation says of this segment."""
    if about.tcp is None or not about.tcp.findings:
        return ""
    found = about.tcp.findings
    if found & (Finding.FAST_RETRANSMISSION | Finding.SPURIOUS_RETRANSMISSION):
        found &= ~Finding.RETRANSMISSION
    words = ""
    for one, name in FINDINGS:
        if found & one:
            if one is Finding.DUPLICATE_ACK:
                name += f" {about.number_of(about.tcp.duplicate_of)}#{about.tcp.duplicate}"
            words += f"[TCP {name}] "
    return words


def kind(about: About, header: TCP, length: int, otherwise: str = "data") -> str:
    """The colour of a segment."""
    if header.flags & RST:
        return "reset"
    if about.tcp is not None and about.tcp.findings & AGAIN:
        return "again"
    if header.flags & SYN:
        return "open"
    if header.flags & FIN:
        return "close"
    return otherwise if length else "ack"


def options(header: TCP, peer: int = 0, only: tuple[str, ...] = ()) -> str:
    """` MSS=1460 SACK_PERM TSval=1 TSecr=0 WS=128`, in the order of the wire; `peer`: the other side's first number."""
    words = []
    for number, body in tcp_options(header.options):
        word = option(number, body, peer)
        if word and (not only or word.partition("=")[0] in only):
            words.append(word)
    return "".join(f" {word}" for word in words)


def option(number: int, body: bytes, peer: int) -> str:
    """One option's words; empty for padding and for what is not well formed."""
    values = [int.from_bytes(body[at : at + 4], "big") for at in range(0, len(body) - 3, 4)]
    match number, len(body):
        case 2, 2:
            return f"MSS={int.from_bytes(body, 'big')}"
        case 3, 1:
            return f"WS={1 << min(body[0], 14)}"
        case 4, 0:
            return "SACK_PERM"
        case 5, size if size and size % 8 == 0:
            edges = [value - peer & 0xFFFFFFFF for value in values]
            return " ".join(f"SLE={left} SRE={right}" for left, right in zip(edges[::2], edges[1::2], strict=True))
        case 8, 8:
            return f"TSval={values[0]} TSecr={values[1]}"
        case 19, 16:
            return "MD5"
        case 28, 2:
            return f"UTO={int.from_bytes(body, 'big')}"
        case 34, size:
            return "TFO=C" if size else "TFO=R"
    return ""
