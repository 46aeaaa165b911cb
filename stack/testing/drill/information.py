"""What `%{ … }%` sees: TCP_INFO's fields by Linux's names (linux/tcp.h), and the constants that go with them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import fields

from stack.socket import numbers
from stack.tcp.tcp_info import TcpInfo
from stack.testing.drill import symbols
from stack.testing.drill.files import SocketFile

_CONSTANTS = {
    "TCPI_OPT_TIMESTAMPS": 1, "TCPI_OPT_SACK": 2, "TCPI_OPT_WSCALE": 4, "TCPI_OPT_ECN": 8, "TCPI_OPT_ECN_SEEN": 16,
    "TCPI_OPT_SYN_DATA": 32, "TCPI_OPT_USEC_TS": 64, "TCPI_OPT_TFO_CHILD": 128, "TCP_FLAG_FIN": 1,
    "TCP_INFINITE_SSTHRESH": 0x7FFFFFFF,
} | {name: symbols.number(name) for name in (
    "TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE",
    "TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_CA_Open", "TCP_CA_Disorder", "TCP_CA_CWR",
    "TCP_CA_Recovery", "TCP_CA_Loss",
)}  # fmt: skip


class Information(Mapping[str, int]):
    """The names that code may read. The socket is asked once, when the first of its fields is wanted."""

    def __init__(self, file: SocketFile | None) -> None:
        self._file = file
        self._values: dict[str, int] | None = None

    def _read(self) -> dict[str, int]:
        if self._values is None:
            self._values = {name: value for name, value in _CONSTANTS.items() if value is not None}
            if self._file is not None:
                info = TcpInfo.parse(self._file.socket.getsockopt(numbers.SOL_TCP, numbers.TCP_INFO, 512))
                self._values |= {f"tcpi_{field.name}": getattr(info, field.name) for field in fields(info)}
                self._values |= words(self._file, numbers.SO_MEMINFO)
                self._values |= control(self._file)
        return self._values

    def __getitem__(self, name: str) -> int:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def words(file: SocketFile, option: int) -> dict[str, int]:
    """SO_MEMINFO, by the names of its words."""
    try:
        octets = file.socket.getsockopt(numbers.SOL_SOCKET, option, 64)
    except OSError:
        return {}
    named = {name: getattr(numbers, name) for name in dir(numbers) if name.startswith("SK_MEMINFO_")}
    return {
        name: struct.unpack_from("=I", octets, 4 * index)[0] for name, index in named.items() if 4 * index + 4 <= len(octets)
    }


_BBR = ("bbr_bw_lo", "bbr_bw_hi", "bbr_min_rtt", "bbr_pacing_gain", "bbr_cwnd_gain")  # linux/inet_diag.h, struct tcp_bbr_info


def control(file: SocketFile) -> dict[str, int]:
    """TCP_CC_INFO, by Linux's names for its fields: of BBR, the one control that tells something."""
    try:
        octets = file.socket.getsockopt(numbers.SOL_TCP, numbers.TCP_CC_INFO, 64)
    except OSError:
        return {}
    return dict(zip(_BBR, struct.unpack("=5I", octets), strict=True)) if len(octets) == 20 else {}
