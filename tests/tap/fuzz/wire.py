"""Segments as octets, and back, with numbers that count from the connection's first ones: what both worlds speak."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

LOCAL = bytes([192, 168, 0, 1])
LETTERS = ((2, "S"), (1, "F"), (4, "R"), (8, "P"), (32, "U"), (64, "E"), (128, "W"), (16, "."))
Option = tuple[str, int, int]  # ("mss", 1000, 0), ("sack", left, right), ("ts", value, echo), ("wscale", 7, 0), ("sackOK", 0, 0)


def checksum(octets: bytes) -> int:
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def ip(source: bytes, destination: bytes, protocol: int, body: bytes, ecn: int = 0, flags: int = 0, cut: int = 0) -> bytes:
    """A datagram; `cut` octets of its body are said to be there, and left out, as in what an error quotes."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, ecn, 20 + len(body) + cut, 0, flags, 255, protocol, 0, source, destination)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


@dataclass
class Flow:
    """One connection: its addresses, and the numbers of it that are not the same in both worlds."""

    remote: bytes
    remote_port: int
    local_port: int = 0
    iss: int | None = None  # of the host
    first_timestamp: int | None = None  # of the host
    irs: int = 1_000_000_000  # ours

    def relative(self, sequence: int) -> int:
        """The host's number, counted from its SYN."""
        assert self.iss is not None
        return (sequence - self.iss + (1 << 31) & 0xFFFFFFFF) - (1 << 31)

    def clock(self, value: int) -> int:
        return (value - (self.first_timestamp or 0) + (1 << 31) & 0xFFFFFFFF) - (1 << 31)


@dataclass
class Segment:
    """As one that packetdrill shows: `seq` and `ack` are relative."""

    flags: str
    seq: int = 0
    length: int = 0
    ack: int = 0
    window: int = 0
    options: list[Option] = field(default_factory=list)
    urgent: int = 0
    ecn: int = 0

    def build(self, flow: Flow) -> bytes:
        options = _options(self.options, flow)
        bits = sum(bit for bit, letter in LETTERS if letter in self.flags)
        ack = (self.ack + (flow.iss or 0)) & 0xFFFFFFFF if "." in self.flags else 0
        head = struct.pack(
            ">HHIIBBHHH", flow.remote_port, flow.local_port, (self.seq + flow.irs) & 0xFFFFFFFF, ack,
            5 + len(options) // 4 << 4, bits, self.window, 0, self.urgent,
        )  # fmt: skip
        body = head + options + bytes(self.length)
        pseudo = flow.remote + LOCAL + struct.pack(">HH", 6, len(body))
        body = body[:16] + struct.pack(">H", checksum(pseudo + body)) + body[18:]
        return ip(flow.remote, LOCAL, 6, body, self.ecn)

    def __str__(self) -> str:
        ack = f" ack {self.ack}" if "." in self.flags else ""
        options = ",".join(_say(option) for option in self.options)
        urgent = f" urg {self.urgent}" if self.urgent else ""
        ecn = ("", "[ect1] ", "[ect0] ", "[ce] ")[self.ecn]
        return f"{ecn}{self.flags} {self.seq}:{self.seq + self.length}({self.length}){ack} win {self.window}{urgent}" + (
            f" <{options}>" if options else "")  # fmt: skip


def _say(option: Option) -> str:
    name, one, two = option
    if name in ("sack", "ts"):
        return f"{name} {one}:{two}"
    return f"{name} {one}" if name != "sackOK" else name


def _options(options: list[Option], flow: Flow) -> bytes:
    built = b""
    blocks = [option for option in options if option[0] == "sack"]
    for name, one, two in options:
        if name == "mss":
            built += struct.pack(">BBH", 2, 4, one)
        elif name == "wscale":
            built += struct.pack(">BBBB", 1, 3, 3, one)
        elif name == "sackOK":
            built += b"\1\1\4\2"
        elif name == "ts":
            echo = (two + flow.first_timestamp) & 0xFFFFFFFF if two and flow.first_timestamp is not None else 0
            built += struct.pack(">BBBBII", 1, 1, 8, 10, one & 0xFFFFFFFF, echo)
    if blocks:
        built += struct.pack(">BBBB", 1, 1, 5, 2 + 8 * len(blocks))
        for _, one, two in blocks:
            built += struct.pack(">II", *((edge + (flow.iss or 0)) & 0xFFFFFFFF for edge in (one, two)))
    return built


def read(octets: bytes, flow: Flow) -> Segment | None:
    """A segment that the host sent in this flow; None for all else."""
    if octets[0] != 0x45 or octets[9] != 6 or octets[16:20] != flow.remote:
        return None
    tcp = octets[20:]
    source, _, seq, ack, offset, bits, window, _, urgent = struct.unpack(">HHIIBBHHH", tcp[:20])
    if bits & 2 and (flow.iss is None):
        flow.iss = seq
        flow.local_port = source
    size = (offset >> 4) * 4
    options = _parse(tcp[20:size], flow)
    flags = "".join(letter for bit, letter in LETTERS if bits & bit)
    return Segment(
        flags, flow.relative(seq) if flow.iss is not None else seq, len(tcp) - size, ((ack - flow.irs + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) if bits & 16 else 0,
        window, options, urgent, octets[1] & 3,
    )  # fmt: skip


def _parse(octets: bytes, flow: Flow) -> list[Option]:
    found: list[Option] = []
    while octets and octets[0]:
        if octets[0] == 1:
            octets = octets[1:]
            continue
        kind, length = octets[0], octets[1]
        body, octets = octets[2:length], octets[length:]
        if kind == 2:
            found.append(("mss", *struct.unpack(">H", body), 0))
        elif kind == 3:
            found.append(("wscale", body[0], 0))
        elif kind == 4:
            found.append(("sackOK", 0, 0))
        elif kind == 5:
            edges = [((edge - flow.irs + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) for edge in struct.unpack(f">{len(body) // 4}I", body)]
            found += [("sack", *pair) for pair in zip(edges[::2], edges[1::2], strict=True)]
        elif kind == 8:
            value, echo = struct.unpack(">II", body)
            if flow.first_timestamp is None:
                flow.first_timestamp = value - 1 & 0xFFFFFFFF
            found.append(("ts", flow.clock(value), echo))
        else:
            found.append((f"option{kind}", int.from_bytes(body, "big"), 0))
    return found


def icmp(flow: Flow, kind: int, code: int, mtu: int, seq: int, length: int) -> bytes:
    """An error about a segment of the host's."""
    tcp = struct.pack(">HHI", flow.local_port, flow.remote_port, (seq + (flow.iss or 0)) & 0xFFFFFFFF)
    quoted = ip(LOCAL, flow.remote, 6, tcp + bytes(12), flags=0x4000, cut=length)
    body = struct.pack(">BBHHH", kind, code, 0, 0, mtu) + quoted
    body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
    return ip(flow.remote, LOCAL, 1, body)
