"""The numbers behind the names in system calls: Linux's, on every platform (google/packetdrill's symbols_linux.c)."""

from __future__ import annotations

import errno
import socket

from stack.socket import numbers

O_NONBLOCK = 0o4000
SOCK_NONBLOCK, SOCK_CLOEXEC = 0o4000, 0o2000000
F_GETFL, F_SETFL = 3, 4

_LINUX = {
    # fcntl(2), open(2)
    "O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2, "O_CREAT": 0o100, "O_EXCL": 0o200, "O_NOCTTY": 0o400, "O_TRUNC": 0o1000,
    "O_APPEND": 0o2000, "O_NONBLOCK": O_NONBLOCK, "O_NDELAY": O_NONBLOCK, "O_ASYNC": 0o20000, "O_DIRECT": 0o40000,
    "O_CLOEXEC": SOCK_CLOEXEC, "F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": F_GETFL, "F_SETFL": F_SETFL, "FD_CLOEXEC": 1,
    # socket(2)
    "SOCK_STREAM": int(socket.SOCK_STREAM), "SOCK_DGRAM": int(socket.SOCK_DGRAM), "SOCK_RAW": int(socket.SOCK_RAW),
    "SOCK_NONBLOCK": SOCK_NONBLOCK, "SOCK_CLOEXEC": SOCK_CLOEXEC,
    "AF_INET": int(socket.AF_INET), "AF_INET6": int(socket.AF_INET6), "PF_INET": int(socket.AF_INET), "PF_INET6": int(socket.AF_INET6),
    "IPPROTO_IP": 0, "IPPROTO_ICMP": 1, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_IPV6": 41, "IPPROTO_ICMPV6": 58,
    "IPPROTO_UDPLITE": 136, "SOL_UDPLITE": 136, "IPPROTO_MPTCP": 262, "SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2,
    "INADDR_ANY": 0, "NULL": 0,
    # poll(2), epoll(7)
    "POLLIN": 1, "POLLPRI": 2, "POLLOUT": 4, "POLLERR": 8, "POLLHUP": 16, "POLLNVAL": 32, "POLLRDNORM": 64, "POLLRDBAND": 128,
    "POLLWRNORM": 256, "POLLWRBAND": 512, "POLLMSG": 1024, "POLLRDHUP": 0x2000,
    "EPOLLIN": 1, "EPOLLPRI": 2, "EPOLLOUT": 4, "EPOLLERR": 8, "EPOLLHUP": 16, "EPOLLRDNORM": 64, "EPOLLRDBAND": 128,
    "EPOLLWRNORM": 256, "EPOLLWRBAND": 512, "EPOLLMSG": 1024, "EPOLLRDHUP": 0x2000, "EPOLLEXCLUSIVE": 1 << 28,
    "EPOLLWAKEUP": 1 << 29, "EPOLLONESHOT": 1 << 30, "EPOLLET": 1 << 31,
    "EPOLL_CTL_ADD": 1, "EPOLL_CTL_DEL": 2, "EPOLL_CTL_MOD": 3, "EPOLL_CLOEXEC": SOCK_CLOEXEC,
    # ioctl(2): the names that terminals have for SIOCOUTQ and FIONREAD
    "TIOCOUTQ": numbers.SIOCOUTQ, "TIOCINQ": numbers.FIONREAD,
    # splice(2)
    "SPLICE_F_MOVE": 1, "SPLICE_F_NONBLOCK": 2, "SPLICE_F_MORE": 4, "SPLICE_F_GIFT": 8,
    # tcp_states.h, tcp.h
    "TCP_ESTABLISHED": 1, "TCP_SYN_SENT": 2, "TCP_SYN_RECV": 3, "TCP_FIN_WAIT1": 4, "TCP_FIN_WAIT2": 5, "TCP_TIME_WAIT": 6,
    "TCP_CLOSE": 7, "TCP_CLOSE_WAIT": 8, "TCP_LAST_ACK": 9, "TCP_LISTEN": 10, "TCP_CLOSING": 11,
    "TCP_CA_Open": 0, "TCP_CA_Disorder": 1, "TCP_CA_CWR": 2, "TCP_CA_Recovery": 3, "TCP_CA_Loss": 4,
    # ip.h, in.h
    "IP_PMTUDISC_DONT": 0, "IP_PMTUDISC_WANT": 1, "IP_PMTUDISC_DO": 2, "IP_PMTUDISC_PROBE": 3, "IP_PMTUDISC_INTERFACE": 4,
    "IP_PMTUDISC_OMIT": 5, "IPV6_PMTUDISC_DONT": 0, "IPV6_PMTUDISC_WANT": 1, "IPV6_PMTUDISC_DO": 2, "IPV6_PMTUDISC_PROBE": 3,
    "IPTOS_LOWDELAY": 0x10, "IPTOS_THROUGHPUT": 8, "IPTOS_RELIABILITY": 4, "IPTOS_MINCOST": 2,
    # icmp.h, icmpv6.h
    "ICMP_ECHOREPLY": 0, "ICMP_DEST_UNREACH": 3, "ICMP_SOURCE_QUENCH": 4, "ICMP_TIME_EXCEEDED": 11, "ICMP_PARAMETERPROB": 12,
    "ICMP_NET_UNREACH": 0, "ICMP_HOST_UNREACH": 1, "ICMP_PROT_UNREACH": 2, "ICMP_PORT_UNREACH": 3, "ICMP_FRAG_NEEDED": 4,
    "ICMP_SR_FAILED": 5, "ICMP_NET_UNKNOWN": 6, "ICMP_HOST_UNKNOWN": 7, "ICMP_PKT_FILTERED": 13,
    "ICMPV6_DEST_UNREACH": 1, "ICMPV6_PKT_TOOBIG": 2, "ICMPV6_TIME_EXCEED": 3, "ICMPV6_PARAMPROB": 4, "ICMPV6_NOROUTE": 0,
    "ICMPV6_ADM_PROHIBITED": 1, "ICMPV6_NOT_NEIGHBOUR": 2, "ICMPV6_ADDR_UNREACH": 3, "ICMPV6_PORT_UNREACH": 4,
    "IP_MTU_DISCOVER": 10, "SO_EE_CODE_TXTIME_INVALID_PARAM": 1, "SO_EE_CODE_TXTIME_MISSED": 2,
}  # fmt: skip

# Flags of calls that the scripts have tables for only where they run: TCP_FASTOPEN's, TCP_REPAIR's
_LINUX |= {"TCP_REPAIR_OFF": 0, "TCP_REPAIR_ON": 1, "TCP_NO_QUEUE": 0, "TCP_RECV_QUEUE": 1, "TCP_SEND_QUEUE": 2}


def number(name: str) -> int | None:
    """What a name stands for, or None: options have the numbers that the emulated sockets know them by."""
    found = _LINUX.get(name)
    if found is None:
        found = getattr(numbers, name, None)
    if found is None and name.startswith("E"):
        found = getattr(errno, name, None)
    return found if isinstance(found, int) else None
