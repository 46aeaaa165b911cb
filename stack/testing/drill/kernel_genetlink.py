"""`ip tcp_metrics flush` asked of the kernel: what TCP remembers of hosts, by generic netlink (linux/genetlink.h, linux/tcp_metrics.h)."""

from __future__ import annotations

import os
import socket
from struct import pack, unpack_from

_GENERIC = 16  # NETLINK_GENERIC, GENL_ID_CTRL
_FAMILY, _DELETE = 3, 2  # CTRL_CMD_GETFAMILY, TCP_METRICS_CMD_DEL
_FAMILY_ID, _FAMILY_NAME = 1, 2  # CTRL_ATTR_…
_REQUEST, _ACK = 1, 4
_ERROR = 2  # NLMSG_ERROR


def forget_metrics() -> None:
    """Of all hosts, in the namespace in which this process is. Raises `OSError`."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _GENERIC) as kernel:
        name = b"tcp_metrics\0"
        answer = _ask(kernel, _GENERIC, _FAMILY, pack("=HH", 4 + len(name), _FAMILY_NAME) + name)
        _ask(kernel, _attribute(answer, _FAMILY_ID), _DELETE, b"")


def _ask(kernel: socket.socket, kind: int, command: int, attributes: bytes) -> bytes:
    """The attributes of the answer, if there is one besides the acknowledgment."""
    body = pack("=BBH", command, 1, 0) + attributes
    kernel.send(pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACK, 1, 0) + body)
    answer = b""
    while True:
        reply = kernel.recv(65536)
        while reply:
            length, found = unpack_from("=IH", reply)
            if found == _ERROR:
                number = -unpack_from("=i", reply, 16)[0]
                if number:
                    raise OSError(number, f"tcp_metrics: {os.strerror(number)}")
                return answer
            answer = reply[20:length]
            reply = reply[(length + 3) & ~3 :]


def _attribute(octets: bytes, wanted: int) -> int:
    while len(octets) >= 4:
        length, kind = unpack_from("=HH", octets)
        if kind == wanted:
            return int(unpack_from("=H", octets, 4)[0])
        octets = octets[(max(length, 4) + 3) & ~3 :]
    raise OSError("generic netlink has no family tcp_metrics")
