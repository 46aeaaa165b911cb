"""Plays packetdrill scripts against the engine: packets and socket calls, without IP (see `../shared/packetdrill`)."""

from __future__ import annotations

import errno
import os
import re
import struct
from pathlib import Path

from stack.base.address import IPv4Address
from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.listener import Listener
from stack.tcp.reset import refusal
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED

LOCAL, REMOTE = (IPv4Address("192.168.0.1"), 8080), (IPv4Address("192.0.2.1"), 40000)
IRS, ISS = 3_000_000_000, 4_294_960_000  # both wrap soon
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32}
LINE = re.compile(r"(?P<time>[\d.+*~-]+(?:\.\.\.[\d.]+)?)\s+(?P<event>.*)")
PACKET = re.compile(r"(?P<side>[<>])\s+(?P<flags>[FSRP.UEWC]+)\s+(?P<seq>\d+):(?P<end>\d+)\((?P<size>\d+)\)(?:\s+ack\s+(?P<ack>\d+))?(?:\s+win\s+(?P<win>\d+))?(?:\s+urg\s+(?P<urg>\d+))?\s*(?:<(?P<options>.*)>)?")
CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s*=\s*(?P<result>-?\w+)(?:\s+(?P<error>E\w+))?")


class Mismatch(AssertionError):
    """The engine did something else than the script says."""


class Player:
    """A script, a listener or a connection, and the clock."""

    def __init__(self, settings: TcpSettings, mss: int = 1460, tolerance: float = 0.03) -> None:
        self.settings = settings
        self.mss = mss
        self.tolerance = int(tolerance * 1e9)
        self.now = 0
        self.files: dict[int, Connection | Listener | None] = {}
        self.connection: Connection | None = None
        self.listener: Listener | None = None
        self.made: list[tuple[int, TCP, bytes, str | None]] = []

    # The clock

    def advance(self, until: int, stop_at_output: bool = False) -> None:
        """Let time pass up to `until`."""
        while not (stop_at_output and self.made):
            deadline = self.connection.deadline if self.connection is not None else None
            if deadline is None or deadline > until or self.connection is None:
                self.now = max(self.now, until)
                return
            self.now = max(self.now, deadline)
            self.connection.timeout(self.now)

    def make(self, local: object, remote: object, settings: TcpSettings, now: int) -> Connection:
        """A connection whose segments are collected."""
        return Connection(LOCAL, REMOTE, settings, iss=ISS, mss=self.mss, sink=self.sink)

    def sink(self, connection: object, header: TCP, text: bytes, cause: str | None) -> None:
        """A segment went out."""
        self.made.append((self.now, header, text, cause))

    # Packets

    def inbound(self, match: re.Match[str]) -> None:
        """A packet of the script arrives."""
        bits = sum(FLAGS[letter] for letter in match["flags"])
        header = TCP(
            source=REMOTE[1], destination=LOCAL[1], sequence=int(match["seq"]) + IRS & 0xFFFFFFFF, window=int(match["win"] or 0),
            acknowledgment=int(match["ack"]) + ISS & 0xFFFFFFFF if match["ack"] else 0,
            urgent_pointer=int(match["urg"] or 0), options=TCPOptions(octets(match["options"] or "")),
        ).replace(flags=bits)  # fmt: skip
        text = bytes(int(match["size"]))
        connection = self.connection
        above = None
        if connection is not None and connection.state is not CLOSED:
            if not connection.takes_new_syn(header):
                connection.receive(header, text, self.now)
                return
            above = connection.snd.nxt
            connection.abort(self.now)
        if self.listener is not None and not self.listener.closed and (not header.ack or header.rst):
            self.connection = self.listener.receive(header, text, LOCAL, REMOTE, self.now, above) or self.connection
            return
        reply = refusal(header, len(text))
        if reply is not None:
            self.made.append((self.now, reply, b"", "no connection"))

    def outbound(self, match: re.Match[str], earliest: int, latest: int | None) -> None:
        """A packet of the script must have gone out, in one segment or in several that follow each other."""
        size, at = int(match["size"]), int(match["seq"])
        flags = sum(FLAGS[letter] for letter in match["flags"])
        while True:
            self.advance(latest if latest is not None else self.now + 10**12, stop_at_output=True)
            if not self.made:
                raise Mismatch(f"at {self.now / 1e9:.3f}: nothing was sent; expected {match[0]}")
            time, header, text, _ = self.made.pop(0)
            shown = f"at {time / 1e9:.3f}: {self.shown(header, text)}; expected {match[0]}"
            if time < earliest:
                raise Mismatch(f"too early (expected at {earliest / 1e9:.3f}): {shown}")
            whole = len(text) >= size
            mask = 0x37 if whole else 0x36
            if header.flags & mask & ~1 != flags & mask & ~1 or (whole and header.flags & 1 != flags & 1):
                raise Mismatch(shown)
            base = ISS if not header.rst or header.sequence else 0
            if header.sequence - base & 0xFFFFFFFF != at or len(text) > size:
                raise Mismatch(shown)
            if match["ack"] and header.flags & 16 and header.acknowledgment - IRS & 0xFFFFFFFF != int(match["ack"]):
                raise Mismatch(shown)
            if whole:
                return
            at, size = at + len(text), size - len(text)

    def shown(self, header: TCP, text: bytes) -> str:
        """A segment in the script's words."""
        names = "".join(letter for letter, bit in FLAGS.items() if header.flags & bit)
        return f"{names} {header.sequence - ISS & 0xFFFFFFFF}({len(text)}) ack {header.acknowledgment - IRS & 0xFFFFFFFF}"

    # Calls

    def call(self, match: re.Match[str]) -> None:
        """A socket call must give what the script says."""
        arguments = [part.strip() for part in re.split(r",(?![^\[{(]*[\]})])", match["arguments"])]
        wanted: object = match["error"] or int(match["result"], 0)
        try:
            got = self.perform(match["name"], arguments)
        except OSError as error:
            got = errno.errorcode[error.errno or 0]
        if got is not None and got != wanted:
            raise Mismatch(f"{match[0]}: got {got!r}")

    def perform(self, name: str, arguments: list[str]) -> object:
        """The result of a call; None where the script's own result is as good as any."""
        if name in ("socket", "bind", "fcntl"):
            if name == "socket":
                self.files[3] = None
            return None
        number = int(arguments[0])
        if number not in self.files:
            raise NotImplementedError("a call that blocks")
        one = self.files[number]
        if name == "listen":
            self.files[number] = self.listener = Listener(LOCAL, self.make, self.settings, int(arguments[1]))
            return 0
        if name == "connect":
            self.files[number] = self.connection = self.make(LOCAL, REMOTE, self.settings, self.now)
            self.connection.open_active(self.now)
            return None
        if name == "accept":
            assert isinstance(one, Listener)
            self.files[number + 1] = accepted = one.accept()
            return number + 1 if accepted is not None else "EAGAIN"
        if name == "close":
            if one is not None:
                one.close(self.now)
            return 0
        if name == "setsockopt":
            return self.set_option(number, arguments)
        if name == "getsockopt" and not isinstance(one, Connection):
            return 0
        if not isinstance(one, Connection):
            raise NotImplementedError(f"{name} without a connection: Fast Open")
        return self.transfer(one, name, arguments)

    def transfer(self, one: Connection, name: str, arguments: list[str]) -> object:
        """Calls on a connection."""
        if name in ("write", "send", "sendto"):
            return one.send(bytes(int(arguments[2])), self.now)
        if name in ("read", "recv"):
            data = one.recv(int(arguments[2]), self.now, peek="MSG_PEEK" in arguments)
            if not data and one.error is not None:
                raise OSError(one.take_error(), "")
            return len(data) if data or one.eof else "EAGAIN"
        if name == "shutdown":
            if arguments[1] != "SHUT_RD":
                one.shutdown_write(self.now)
            if arguments[1] != "SHUT_WR":
                one.shutdown_read()
            return 0
        if name == "getsockopt":
            if arguments[2] == "SO_ERROR":
                number = one.take_error()
                shown = f"[{errno.errorcode[number] if number else 0}]"
                return 0 if shown == arguments[3] else f"SO_ERROR {shown}"
            if arguments[2] == "TCP_MAXSEG":
                return 0 if f"[{one.info()['snd_mss']}]" == arguments[3] else f"TCP_MAXSEG {one.info()['snd_mss']}"
        raise NotImplementedError(f"{name}({', '.join(arguments)})")

    def set_option(self, number: int, arguments: list[str]) -> int:
        """setsockopt: of the connection, or of those that are to come."""
        option, value = arguments[2], int(re.findall(r"\d+", arguments[3])[-1])
        changes: dict[str, object] = {
            "TCP_NODELAY": {"nodelay": bool(value)}, "TCP_CORK": {"cork": bool(value)}, "SO_LINGER": {"linger": value},
            "TCP_USER_TIMEOUT": {"user_timeout": value * 10**6}, "TCP_MAXSEG": {"maximum_segment": value}, "SO_REUSEADDR": {},
            "SO_SNDBUF": {"send_buffer": 2 * value, "fixed_send_buffer": True},
            "SO_RCVBUF": {"receive_buffer": value, "fixed_receive_buffer": True},
        }.get(option)  # type: ignore[assignment]  # fmt: skip
        if changes is None:
            raise NotImplementedError(option)
        one = self.files[number]
        if isinstance(one, Connection):
            one.configure(self.now, **changes)
        else:
            self.settings = self.settings.replace(**changes)
        return 0

    # The script

    def play(self, path: Path) -> None:
        """All events of a script, in order; raises `Mismatch`.

        As in packetdrill, what is sent is compared when the script expects something, in order. What depends on the system
        (`#ifdef`) is left out, and what was sent there with it.
        """
        text = re.sub(r"/\*.*?\*/|`[^`]*`|//[^\n]*|%\{.*?\}%", "", path.read_text(), flags=re.S)
        text = re.sub(r"(^#ifdef.*?^#endif\n)+", "+0 forget\n", text, flags=re.S | re.M)
        if match := re.search(r"--tolerance_usecs=(\d+)", text):
            self.tolerance = int(match[1]) * 1000
        if match := re.search(r"--mtu=(\d+)", text):
            self.mss = int(match[1]) - 40
        previous = 0
        for line in text.splitlines():
            found = LINE.match(line.strip())
            if found is None:
                continue
            start, end = when(found["time"], previous)
            event = found["event"].strip()
            packet = PACKET.match(event)
            if packet is not None and packet["side"] == ">":
                free = found["time"] == "*"
                self.outbound(packet, 0 if free else start - self.tolerance, None if free else end + self.tolerance)
            else:
                self.advance(end)
                if packet is not None:
                    self.inbound(packet)
                elif event == "forget":
                    self.made.clear()
                elif "..." in found["time"] and "connect(" not in event:
                    raise NotImplementedError("a call that blocks")
                elif (call := CALL.match(event)) is not None:
                    self.call(call)
                else:
                    raise NotImplementedError(event)
            previous = max(self.now, start) if found["time"] != "*" else self.now


def when(text: str, previous: int) -> tuple[int, int]:
    """The first and last instant of an event, in nanoseconds."""
    if text == "*":
        return previous, previous

    def instant(part: str) -> int:
        return (previous if part.startswith("+") else 0) + round(float(part.lstrip("+")) * 1e9)

    first, _, last = text.replace("...", "~").partition("~")
    return instant(first), instant(last or first)


def octets(text: str) -> bytes:
    """The octets of an option list."""
    made = b""
    for part in filter(None, (part.strip() for part in text.split(","))):
        words = part.split()
        if words[0] in ("nop", "eol"):
            made += b"\1" if words[0] == "nop" else b"\0"
        elif words[0] == "mss":
            made += struct.pack(">BBH", 2, 4, int(words[1]))
        elif words[0] == "wscale":
            made += bytes((3, 3, int(words[1])))
        elif words[0] == "sackOK":
            made += b"\4\2"
        elif words[0] == "sack":
            pairs = [tuple(int(edge) + ISS & 0xFFFFFFFF for edge in pair.split(":")) for pair in words[1:]]
            made += bytes((5, 2 + 8 * len(pairs))) + b"".join(struct.pack(">II", *pair) for pair in pairs)
        else:
            raise NotImplementedError(part)
    return made + bytes(-len(made) % 4)


FOLDER = Path(__file__).resolve().parents[2].parent / "shared"
RELAXED = FOLDER / "packetdrill-relaxed"
STRICT = FOLDER / "packetdrill"


def relative(path: Path) -> str:
    """A script's name for people."""
    return os.path.relpath(path, FOLDER)
