"""A scenario played: what is common to the kernel's world and the emulated one."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
from collections.abc import Callable
from typing import Any

from stack.tcp.tcp_info import TcpInfo
from tests.tap.fuzz.wire import Flow, Segment, icmp, read

Step = dict[str, Any]
Record = tuple[float, str, Any]  # seconds since the beginning; "packet", "result" or "info"; what
PORT = 8080
MS = 1_000_000
INFO = (  # what is compared of TCP_INFO
    "state", "ca_state", "retransmits", "probes", "backoff", "options", "snd_wscale", "rcv_wscale", "delivery_rate_app_limited",
    "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh",
    "snd_cwnd", "advmss", "reordering", "rcv_rtt", "rcv_space", "total_retrans", "bytes_acked", "bytes_received", "segs_out", "segs_in",
    "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out", "delivered", "delivered_ce", "bytes_sent", "bytes_retrans", "dsack_dups", "reord_seen",
    "rcv_ooopack", "snd_wnd", "rcv_wnd", "total_rto", "total_rto_recoveries",
)  # fmt: skip


class World:
    """What happens is written into `log`."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.log: list[Record] = []
        self.began = 0
        self.listener: socket.socket | None = None
        self.socket: socket.socket | None = None
        self.heard: Callable[[Segment], None] = lambda _: None

    # What a world is

    def now(self) -> int:
        """Nanoseconds since the beginning."""
        raise NotImplementedError

    def put(self, octets: bytes) -> None:
        raise NotImplementedError

    def flush(self) -> None:
        """Take up what the host has sent."""
        raise NotImplementedError

    def wait(self, until: int) -> None:
        raise NotImplementedError

    def sysctl(self, name: str, value: str) -> None:
        raise NotImplementedError

    def address(self) -> str:
        return socket.inet_ntoa(self.flow.remote)

    # What it does

    def saw(self, time: int, octets: bytes) -> None:
        segment = read(octets, self.flow)
        if segment is not None:
            self.heard(segment)
            self.log.append((time / 1e9, "packet", segment))

    def note(self, kind: str, what: Any) -> None:
        self.flush()
        self.log.append((self.now() / 1e9, kind, what))

    def call(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            given = function(*arguments)
            shown = len(given) if isinstance(given, bytes) else "socket" if isinstance(given, tuple | socket.socket) else given
        except OSError as error:
            given, shown = None, errno.errorcode.get(error.errno or 0, str(error))
        self.note("result", f"{name}: {shown}")
        return given

    def do(self, step: Step) -> None:
        """A step whose numbers are all known."""
        getattr(self, "do_" + step["op"])(step)
        self.flush()

    def do_segment(self, step: Step) -> None:
        self.flush()
        self.put(step["segment"].build(self.flow))

    def do_icmp(self, step: Step) -> None:
        self.flush()
        self.put(icmp(self.flow, step["kind"], step["code"], step["mtu"], step["seq"], step["length"]))

    def make(self, options: list[tuple[int, int, Any]]) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")  # whatever the machine's default is
        for option in options:
            self.option(made, option)
        return made

    def option(self, of: socket.socket, option: tuple[int, int, Any]) -> None:
        level, number, value = option
        if isinstance(value, list):
            value = struct.pack("ii", *value)
        elif isinstance(value, str):
            value = value.encode()
        self.call(f"setsockopt {level} {number} {value!r}", of.setsockopt, level, number, value)

    def do_listen(self, step: Step) -> None:
        self.listener = self.make(step["options"])
        self.listener.bind(("192.168.0.1", PORT))
        self.listener.listen(step.get("backlog", 5))
        self.flow.local_port = PORT

    def do_connect(self, step: Step) -> None:
        if self.socket is None:
            self.socket = self.make(step["options"])
        self.call("connect", self.socket.connect, (self.address(), self.flow.remote_port))

    def do_accept(self, _: Step) -> None:
        assert self.listener is not None
        given = self.call("accept", self.listener.accept)
        if given is not None:
            self.socket = given[0]
            self.socket.setblocking(False)

    def do_setsockopt(self, step: Step) -> None:
        if self.socket is not None:
            self.option(self.socket, (step["level"], step["name"], step["value"]))

    def do_getsockopt(self, step: Step) -> None:
        if self.socket is not None:
            self.call(f"getsockopt {step['level']} {step['name']}", self.socket.getsockopt, step["level"], step["name"])

    def do_write(self, step: Step) -> None:
        if self.socket is not None:
            self.call(f"send {step['length']} {step['flags']}", self.socket.send, bytes(step["length"]), step["flags"])

    def do_read(self, step: Step) -> None:
        if self.socket is not None:
            self.call(f"recv {step['length']} {step['flags']}", self.socket.recv, step["length"], step["flags"])

    def do_shutdown(self, step: Step) -> None:
        if self.socket is not None:
            self.call(f"shutdown {step['how']}", self.socket.shutdown, step["how"])

    def do_close(self, _: Step) -> None:
        if self.socket is not None:
            self.call("close", self.socket.close)
            self.socket = None

    def do_sysctl(self, step: Step) -> None:
        self.sysctl(step["name"], step["value"])

    def do_info(self, _: Step) -> None:
        if self.socket is None:
            return
        found = TcpInfo.parse(self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 280))
        self.note("info", {name: getattr(found, name) for name in INFO})
        poller = select.poll()
        poller.register(self.socket, select.POLLIN | select.POLLOUT | select.POLLPRI | select.POLLRDHUP)
        ready = poller.poll(0)
        self.note("result", f"poll: {ready[0][1] if ready else 0:#x}")

    def finish(self) -> None:
        for one in (self.socket, self.listener):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.close()
