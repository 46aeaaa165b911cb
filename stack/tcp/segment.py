"""The current segment in the RFC's words: SEG.SEQ, SEG.ACK, SEG.LEN, SEG.WND, SEG.UP (RFC 9293 table 4)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import ACK, FIN, PSH, RST, SYN, URG
from stack.tcp.seq import MASK, unwrap

if TYPE_CHECKING:
    from stack.tcp.formats.tcp import TCP

__all__ = ["ACK", "FIN", "PSH", "RST", "SYN", "TIMESTAMPS_FIRST", "URG", "Segment", "timestamps_of"]

TIMESTAMPS_FIRST = b"\1\1\x08\n"  # how nearly every segment's options begin: two NOPs, then timestamps of length 10
MSS_DEFAULT_V4 = 536  # RFC 9293 MUST-15
MSS_DEFAULT_V6 = 1220

_PAIR = Struct(">II").unpack_from
_EDGE = Struct(">II")


def timestamps_of(options: bytes) -> tuple[int, int] | None:
    """TSval and TSecr, where the options are nothing else (the usual case, decoded for speed)."""
    if len(options) == 12 and options[:4] == TIMESTAMPS_FIRST:
        value, echo = _PAIR(options, 4)
        return value, echo
    return None


class Segment:
    """One arriving segment. `ack` is None where the ACK bit is off; numbers are unwrapped; `wnd` is as on the wire."""

    __slots__ = (
        "accurate", "ack", "cookie", "experimental_cookie", "flags", "len", "mss", "old", "sack", "sack_permitted", "scale", "sent_len", "seq", "signed", "text", "ts_ecr", "ts_val", "up", "wnd",
    )  # fmt: skip

    def __init__(self, seq: int, ack: int | None, flags: int, wnd: int, text: bytes = b"") -> None:
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.wnd = wnd
        self.text = text
        self.old = 0  # octets of text that were cut off since they had come before
        self.len = self.sent_len = len(text) + (flags & SYN > 0) + (flags & FIN)  # SEG.LEN counts SYN and FIN; as it was sent
        self.up: int | None = None  # the octet after the urgent data, unwrapped
        self.ts_val: int | None = None
        self.ts_ecr = 0
        self.sack: list[tuple[int, int]] = []
        self.mss: int | None = None
        self.scale: int | None = None
        self.sack_permitted = False
        self.cookie: bytes | None = None  # fast open: b"" asks for one
        self.signed = False  # MD5 or TCP-AO
        self.experimental_cookie = False  # in the experimental option
        self.accurate: tuple[int, bytes] | None = None  # the accurate ECN option: its kind, which is its order, and counters

    @classmethod
    def read(cls, header: TCP, text: bytes, near_seq: int, near_ack: int) -> Segment:
        """The segment of a header and its payload; its numbers are put near RCV.NXT and SND.UNA."""
        flags = header.flags
        ack = unwrap(header.acknowledgment, near_ack) if flags & ACK else None
        segment = cls(unwrap(header.sequence, near_seq), ack, flags, header.window, text)
        if flags & URG:
            segment.up = segment.seq + (header.urgent_pointer or 1)  # 0 names the first octet, as in Linux
        options = header.options
        if options:
            pair = timestamps_of(options)
            if pair is not None:
                segment.ts_val, segment.ts_ecr = pair
            else:
                segment.read_options(options, near_ack)
        return segment

    def read_options(self, octets: bytes, near_ack: int) -> None:
        """Take the options that the engine knows; others are passed over (MUST-6), a bad length ends the list (MUST-7)."""
        at, end = 0, len(octets)
        syn = self.flags & SYN
        while at < end:
            kind = octets[at]
            if kind == 0:
                return
            if kind == 1:
                at += 1
                continue
            length = octets[at + 1] if at + 1 < end else 0
            if length < 2 or at + length > end:
                return
            if kind == 8 and length == 10:
                self.ts_val, self.ts_ecr = _PAIR(octets, at + 2)
            elif kind == 5 and length > 2 and (length - 2) % 8 == 0:
                for place in range(at + 2, at + length, 8):
                    left, right = _EDGE.unpack_from(octets, place)
                    self.sack.append((unwrap(left, near_ack), unwrap(right, near_ack)))
            elif kind == 2 and length == 4 and syn:
                self.mss = octets[at + 2] << 8 | octets[at + 3]
            elif kind == 3 and length == 3 and syn:
                self.scale = min(octets[at + 2], 14)  # RFC 7323 section 2.3
            elif kind == 4 and length == 2 and syn:
                self.sack_permitted = True
            elif kind == 19 or kind == 29:
                self.signed = True
            elif kind == 34 and syn:
                self.read_cookie(octets[at + 2 : at + length], False)
            elif kind == 254 and syn and octets[at + 2 : at + 4] == b"\xf9\x89":
                self.read_cookie(octets[at + 4 : at + length], True)
            elif kind == 172 or kind == 174:
                self.accurate = kind, octets[at + 2 : at + length]
            at += length

    def read_cookie(self, cookie: bytes, experimental: bool) -> None:
        """Take the fast open option (RFC 7413 section 4.1.1): a cookie has 4 to 16 octets, an even number; none asks for one."""
        if len(cookie) % 2 == 0:
            self.cookie = cookie if not cookie or 4 <= len(cookie) <= 16 else None
            self.experimental_cookie = experimental

    def trim(self, left: int, right: int) -> None:
        """Keep what lies in [left, right): "the idealized segment that begins at RCV.NXT and does not exceed the window"."""
        old = left - self.seq
        if old > 0:
            if self.flags & SYN:
                self.flags &= ~SYN
                old -= 1
            self.text = self.text[old:]
            self.old = old
            self.seq = left
        after = self.seq + len(self.text) + (self.flags & SYN > 0)
        if after > right:
            self.text = self.text[: max(0, len(self.text) - (after - right))]
            self.flags &= ~FIN
        elif self.flags & FIN and after + 1 > right:
            self.flags &= ~FIN
        self.len = len(self.text) + (self.flags & SYN > 0) + (self.flags & FIN)


def syn_options(mss: int, scale: int | None, sack: bool, timestamps: tuple[int, int] | None) -> TCPOptions:
    """The options of a SYN in Linux's order: MSS, SACK permitted and timestamps, window scale."""
    parts = [bytes((2, 4, mss >> 8, mss & 0xFF))]
    if timestamps is not None:
        parts.append(b"\4\2" if sack else b"\1\1")
        parts.append(b"\x08\n" + _EDGE.pack(*timestamps))
    elif sack:
        parts.append(b"\1\1\4\2")
    if scale is not None:
        parts.append(bytes((1, 3, 3, scale)))
    return TCPOptions(b"".join(parts))


def timestamps_option(value: int, echo: int) -> TCPOptions:
    """The timestamps option, aligned (RFC 7323 appendix A)."""
    return TCPOptions(TIMESTAMPS_FIRST + _EDGE.pack(value, echo))


def sack_option(blocks: list[tuple[int, int]]) -> bytes:
    """A SACK option of up to four blocks, aligned by two NOPs (RFC 2018 section 3)."""
    return b"\1\1\5" + bytes((2 + 8 * len(blocks),)) + b"".join(_EDGE.pack(left & MASK, right & MASK) for left, right in blocks)
