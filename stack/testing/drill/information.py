"""What `%{ … }%` sees: TCP_INFO's fields by Linux's names (linux/tcp.h), and the constants that go with them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from stack.socket import numbers
from stack.testing.drill import symbols
from stack.testing.drill.files import SocketFile

_OCTETS = ("tcpi_state", "tcpi_ca_state", "tcpi_retransmits", "tcpi_probes", "tcpi_backoff", "tcpi_options")
_WORDS = (
    "tcpi_rto", "tcpi_ato", "tcpi_snd_mss", "tcpi_rcv_mss", "tcpi_unacked", "tcpi_sacked", "tcpi_lost", "tcpi_retrans", "tcpi_fackets",
    "tcpi_last_data_sent", "tcpi_last_ack_sent", "tcpi_last_data_recv", "tcpi_last_ack_recv", "tcpi_pmtu", "tcpi_rcv_ssthresh",
    "tcpi_rtt", "tcpi_rttvar", "tcpi_snd_ssthresh", "tcpi_snd_cwnd", "tcpi_advmss", "tcpi_reordering", "tcpi_rcv_rtt",
    "tcpi_rcv_space", "tcpi_total_retrans",
)  # fmt: skip
# From octet 104 on, name and size
_LATER = (
    ("tcpi_pacing_rate", 8), ("tcpi_max_pacing_rate", 8), ("tcpi_bytes_acked", 8), ("tcpi_bytes_received", 8),
    ("tcpi_segs_out", 4), ("tcpi_segs_in", 4), ("tcpi_notsent_bytes", 4), ("tcpi_min_rtt", 4), ("tcpi_data_segs_in", 4),
    ("tcpi_data_segs_out", 4), ("tcpi_delivery_rate", 8), ("tcpi_busy_time", 8), ("tcpi_rwnd_limited", 8),
    ("tcpi_sndbuf_limited", 8), ("tcpi_delivered", 4), ("tcpi_delivered_ce", 4), ("tcpi_bytes_sent", 8),
    ("tcpi_bytes_retrans", 8), ("tcpi_dsack_dups", 4), ("tcpi_reord_seen", 4), ("tcpi_rcv_ooopack", 4), ("tcpi_snd_wnd", 4),
    ("tcpi_rcv_wnd", 4), ("tcpi_rehash", 4), ("tcpi_total_rto", 2), ("tcpi_total_rto_recoveries", 2), ("tcpi_total_rto_time", 4),
    ("tcpi_received_ce", 4), ("tcpi_delivered_e1_bytes", 4), ("tcpi_delivered_e0_bytes", 4), ("tcpi_delivered_ce_bytes", 4),
    ("tcpi_received_e1_bytes", 4), ("tcpi_received_e0_bytes", 4), ("tcpi_received_ce_bytes", 4),
)  # fmt: skip
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
                self._values |= fields(self._file.socket.getsockopt(numbers.SOL_TCP, numbers.TCP_INFO, 512))
                self._values |= words(self._file, numbers.SO_MEMINFO)
        return self._values

    def __getitem__(self, name: str) -> int:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def fields(octets: bytes) -> dict[str, int]:
    """struct tcp_info by the names of its fields, as many as there are octets for."""
    found = dict(zip(_OCTETS, octets, strict=False))
    if len(octets) > 7:
        found["tcpi_snd_wscale"], found["tcpi_rcv_wscale"] = octets[6] & 15, octets[6] >> 4
        found["tcpi_delivery_rate_app_limited"] = octets[7] & 1
        found["tcpi_fastopen_client_fail"] = octets[7] >> 1 & 3
    for index, name in enumerate(_WORDS):
        at = 8 + 4 * index
        if at + 4 <= len(octets):
            found[name] = struct.unpack_from("=I", octets, at)[0]
    at = 104
    for name, size in _LATER:
        if at + size <= len(octets):
            found[name] = int.from_bytes(octets[at : at + size], "little")
        at += size
    return found


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
