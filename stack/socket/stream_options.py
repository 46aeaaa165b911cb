"""What the options of a stream socket read from its connection, and change in it (tcp(7), socket(7))."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from stack.base.quantity import MILLISECOND
from stack.socket import numbers as n
from stack.socket.description import Description, error
from stack.socket.numbers import SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_TCP
from stack.socket.transmit_reports import TransmitReports
from stack.tcp.congestion.registry import name_of
from stack.tcp.receiving import timestamps, window
from stack.tcp.settings import TcpSettings
from stack.tcp.tcp_info import TcpInfo

if TYPE_CHECKING:
    from stack.tcp.connection import Connection
    from stack.tcp.opening.listener import Listener

_TRAFFIC_CLASS = ((SOL_IP, n.IP_TOS), (SOL_IPV6, n.IPV6_TCLASS))
_HOP_LIMIT = ((SOL_IP, n.IP_TTL), (SOL_IPV6, n.IPV6_UNICAST_HOPS))
NEW, CONNECTING, CONNECTED = range(3)  # a stream's phases


class StreamOptions(Description):
    """The settings of a stream: its connection's, or those of connections to come."""

    __slots__ = ("_settings", "connection", "listener", "reports")

    connection: Connection | None
    listener: Listener | None
    reports: TransmitReports | None  # made when the program asks for some
    _settings: TcpSettings | None  # None: the host's, or those of the connection

    @property
    def host_settings(self) -> TcpSettings:
        """The host's parameters: its sysctls."""
        settings: TcpSettings = self._host.settings
        return settings

    @property
    def settings(self) -> TcpSettings:
        """The parameters of the connection, or of those to come."""
        if self.connection is not None:
            return self.connection.settings
        return self._settings or self._host.settings

    @property
    def _host(self) -> Any:
        return self.node.engine.tcp

    def configure(self, **changes: Any) -> None:
        """Change parameters."""
        if self.connection is not None:
            self.connection.configure(self.node.now, **changes)
            self.node.flush()
            return
        self._settings = self.settings.replace(**changes)
        if self.listener is not None:
            self.listener.settings = self._settings

    @property
    def linger(self) -> int | None:
        """SO_LINGER in nanoseconds; None: off."""
        return self.settings.linger

    @linger.setter
    def linger(self, time: int | None) -> None:
        self.configure(linger=time)

    def buffer(self, option: int) -> int:
        """SO_RCVBUF or SO_SNDBUF as it is when nobody set it."""
        if option == n.SO_SNDBUF:
            return self.connection.send_memory if self.connection is not None else self.settings.send_buffer
        return self.connection.rcv.buff if self.connection is not None else self.settings.receive_buffer

    def buffer_limit(self, option: int) -> int:
        """What the host lets programs ask for."""
        settings: TcpSettings = self._host.settings
        return settings.send_buffer_limit if option == n.SO_SNDBUF else settings.receive_buffer_limit

    def changed(self, level: int, option: int, value: Any) -> None:
        if (level, option) == (SOL_SOCKET, n.SO_RCVBUF):
            self.configure(receive_buffer=value, fixed_receive_buffer=True)
        elif (level, option) == (SOL_SOCKET, n.SO_SNDBUF):
            self.configure(send_buffer=value // 2, fixed_send_buffer=True)
        elif (level, option) == (SOL_SOCKET, n.SO_RCVLOWAT):
            self.configure(receive_low_water=value)
        elif (level, option) in _TRAFFIC_CLASS:
            self.configure(traffic_class=value & ~3)  # the last two bits are ECN's, and TCP's own
        elif (level, option) in _HOP_LIMIT:
            self.configure(hop_limit=value if value >= 0 else None)

    @property
    def segment_size(self) -> int:
        """TCP_MAXSEG."""
        if self.connection is not None and self.connection.peer_mss:
            return self.connection.snd.mss
        return self.settings.maximum_segment or 536

    @property
    def congestion(self) -> bytes:
        """TCP_CONGESTION: the name of the congestion control."""
        return name_of(self.settings.congestion).encode()

    @property
    def quick_acknowledgments(self) -> bool:
        """TCP_QUICKACK: acknowledgments are not delayed for the time being."""
        return not self.connection.acks.pingpong if self.connection is not None else bool(self.option(SOL_TCP, n.TCP_QUICKACK, 1))

    def acknowledge_quickly(self, wanted: int) -> None:
        """TCP_QUICKACK: for some segments from now on, or no longer; an acknowledgment that waits goes out."""
        if self.connection is None:
            self.keep(SOL_TCP, n.TCP_QUICKACK, int(wanted != 0))
            return
        self.connection.acknowledge_quickly(wanted, self.node.now)
        self.node.flush()

    @property
    def time_stamp(self) -> int:
        """TCP_TIMESTAMP: the time stamp that a segment sent now would carry."""
        now = self.node.now
        return timestamps.clock(self.connection, now) if self.connection is not None else now // MILLISECOND

    def identify_stamps(self, from_queue: bool) -> None:
        """SOF_TIMESTAMPING_OPT_ID: number octets from what is acknowledged now, or from what is queued."""
        connection = self.connection
        if connection is None:
            raise error(errno.EINVAL)
        queued = connection.outgoing.end if connection.outgoing is not None else connection.snd.nxt
        self.transmit_reports().count_from(queued if from_queue else connection.snd.una)

    def transmit_reports(self) -> TransmitReports:
        """What tells the program about what it sent."""
        if self.reports is None:
            self.reports = TransmitReports(self)
        return self.reports

    def path_mtu(self) -> int | None:
        """IP_MTU."""
        way = getattr(self.connection, "way", None)
        return None if way is None else int(way.mtu)

    def memory(self) -> list[int]:
        """SO_MEMINFO, in the order of SK_MEMINFO_*. What was received counts as memory, what is to be sent as octets."""
        words = [0] * n.SK_MEMINFO_VARS
        words[n.SK_MEMINFO_RCVBUF] = self.option(SOL_SOCKET, n.SO_RCVBUF) or self.buffer(n.SO_RCVBUF)
        words[n.SK_MEMINFO_SNDBUF] = self.option(SOL_SOCKET, n.SO_SNDBUF) or self.buffer(n.SO_SNDBUF)
        connection = self.connection
        if connection is not None:
            words[n.SK_MEMINFO_RMEM_ALLOC] = window.used(connection)
            words[n.SK_MEMINFO_WMEM_QUEUED] = len(connection.outgoing) if connection.outgoing is not None else 0
        return words

    def information(self) -> bytes:
        """TCP_INFO."""
        if self.connection is None:
            return TcpInfo.unconnected(self.listener, self.settings.initial_rto).pack()
        return TcpInfo.of(self.connection, self.node.now).pack()

    def congestion_information(self) -> bytes:
        """TCP_CC_INFO: of the controls that have something to tell (bbr, dctcp, vegas); nothing of the others."""
        control = self.connection.congestion if self.connection is not None else None
        tell = getattr(control, "information", None)
        return bytes(tell()) if tell is not None else b""
