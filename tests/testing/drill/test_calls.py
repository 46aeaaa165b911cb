"""System calls in scripts: results, errno, and what pointers give, held to what the host's sockets do."""

from __future__ import annotations

import pytest

from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.parser import parse
from stack.testing.drill.profile import profile
from stack.testing.drill.run import run_script
from stack.testing.drill.script import Script, ScriptError
from tests.testing.drill.test_run import CLIENT, SERVER

PASSING = {
    "epoll, level and edge": SERVER
    + """
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0...0.1 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, -1) = 1
+.1 < P. 1:11(10) ack 1 win 257
+0 > . 1:1(0) ack 11
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0 epoll_ctl(5, EPOLL_CTL_MOD, 4, {events=EPOLLIN|EPOLLOUT, ptr=7}) = 0
+0 epoll_wait(5, {events=EPOLLIN|EPOLLOUT, ptr=7}, 1, 0) = 1
+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, {events=EPOLLIN, fd=4}) = 0
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, {events=EPOLLIN, fd=4}) = -1 ENOENT (No such file or directory)
""",
    "ICMP finds the datagram of a client, whose port nobody named": """
0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = 0
+0 write(3, ..., 1000) = 1000
+0 > udp (1000)
+.1 < icmp unreachable port_unreachable [udp (1000)]
+0 write(3, ..., 10) = -1 ECONNREFUSED (Connection refused)
+.1 < udp (100)
+0 read(3, ..., 50) = 50
+0 read(3, ..., 50) = -1 EAGAIN (Resource temporarily unavailable)
+.1 < icmp unreachable port_unreachable [udp (1000)]
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
""",
    "ioctl says how much there is": SERVER
    + """
+0 < P. 1:11(10) ack 1 win 257
+0 > . 1:1(0) ack 11
+0 ioctl(4, SIOCINQ, [10]) = 0
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 11
+0 ioctl(4, SIOCOUTQ, [100]) = 0
+0 ioctl(4, TIOCOUTQ, [100]) = 0
+0 cap_set(0) = 0
+.1 < . 11:11(0) ack 101 win 257
+0 ioctl(4, SIOCOUTQ, [0]) = 0
""",
    "segments signed with MD5": """
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_TCP, TCP_MD5SIG, {tcpm_addr=..., tcpm_keylen=5, tcpm_key="hello"}, 216) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 < S 0:0(0) win 32792 <mss 1000,md5 invalid,nop,nop>
+0 < S 0:0(0) win 32792 <mss 1000,md5 valid,nop,nop>
+0 > S. 0:0(0) ack 1 <nop,nop,md5 valid,mss 1460>
+.1 < . 1:1(0) ack 1 win 257 <nop,nop,md5 valid>
+0 accept(3, ..., ...) = 4
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1 <nop,nop,md5 valid>
+.1 < . 1:1(0) ack 101 win 257
+0 < P. 1:11(10) ack 101 win 257 <nop,nop,md5 invalid>
+0 < P. 1:11(10) ack 101 win 257 <nop,nop,md5 valid>
+0 > . 101:101(0) ack 11 <nop,nop,md5 valid>
""",
    "time limits of calls": SERVER
    + """
+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}, 16) = 0
+0 getsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {1, 500000}, [16]) = 0
+0...1.5 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)
+1.5 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [5000], 4) = 0
+0 setsockopt(4, SOL_SOCKET, SO_SNDTIMEO, {0, 50000}, 16) = 0
+0...0.05 write(4, ..., 1000000) = ...
+.05...0.1 write(4, ..., 1000000) = -1 EAGAIN (Resource temporarily unavailable)
""",
    "a connection that takes too long": """
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_SNDTIMEO, {0, 100000}, 16) = 0
+0...0.1 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
""",
    "TCP_INQ in a control message": SERVER
    + """
+0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0
+0 < P. 1:1001(1000) ack 1 win 257
+0 > . 1:1(0) ack 1001
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 400}], msg_flags=0,
     msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=600}]}, 0) = 400
""",
    "vectors": SERVER
    + """
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0
+0 writev(4, [{..., 10}, {..., 20}], 2) = 30
+0 > P. 1:31(30) ack 1
+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 5}, {..., 6}], msg_flags=0}, 0) = 11
+0 > P. 31:42(11) ack 1
+.1 < P. 1:11(10) ack 42 win 257
+0 readv(4, [{..., 4}, {..., 4}], 2) = 8
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0}, 0) = 2
""",
    "sendfile of nothing sends nothing": SERVER
    + """
+0 open("/dev/null", O_RDONLY) = 5
+0 sendfile(4, 5, [0], 5) = 0
+0 close(5) = 0
+0 open("/dev/zero", O_RDONLY) = 5
+0 sendfile(4, 5, [0], 5) = 5
+0 > P. 1:6(5) ack 1
""",
    "errors": SERVER
    + """
+0 read(99, ..., 10) = -1 EBADF (Bad file descriptor)
+0 close(3) = 0
+0 close(3) = -1 EBADF (Bad file descriptor)
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 fcntl(4, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)
+0 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)
+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EWOULDBLOCK (Resource temporarily unavailable)
+0 write(4, 0x0, 10) = -1 EFAULT (Bad address)
+0 listen(4, 1) = -1 EINVAL (Invalid argument)
""",
    "options": CLIENT
    + """
+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, 8) = 0
+0 getsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0
+0 setsockopt(3, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0
+0 getsockopt(3, IPPROTO_TCP, TCP_NODELAY, [1], [4]) = 0
+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0
+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, "reno", [16]) = 0
+0 getsockopt(3, SOL_TCP, TCP_MAXSEG, ..., [4]) = 0
+0 setsockopt(3, SOL_TCP, 9999, [1], 4) = -1 ENOPROTOOPT (Protocol not available)
""",
    "a zero-copy send is told of": SERVER
    + """
+0 setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0
+0 send(4, ..., 1000, MSG_ZEROCOPY) = 1000
+0 > P. 1:1001(1000) ack 1
+.1 < . 1:1(0) ack 1001 win 257
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE,
     msg_control=[{cmsg_level=CMSG_LEVEL_IP, cmsg_type=CMSG_TYPE_RECVERR,
       cmsg_data={ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=0, ee_data=0}}]},
     MSG_ERRQUEUE) = 0
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE, msg_control=[]}, MSG_ERRQUEUE) = -1 EAGAIN (again)
""",
    "data of a SYN without a copy is told of, once there is some": """
`sysctl -q net.ipv4.tcp_timestamps=0 net.ipv4.tcp_fastopen=0x5`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 setsockopt(3, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0
+0 sendto(3, ..., 500, MSG_FASTOPEN|MSG_ZEROCOPY, ..., ...) = 500
+0 > S 0:500(500) <...>
+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE, msg_control=[]}, MSG_ERRQUEUE) = -1 EAGAIN (again)
+.1 < S. 0:0(0) ack 501 win 65535 <mss 1460>
+0 > . 501:501(0) ack 1
+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE,
     msg_control=[{cmsg_level=CMSG_LEVEL_IP, cmsg_type=CMSG_TYPE_RECVERR,
       cmsg_data={ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=0, ee_data=0}}]},
     MSG_ERRQUEUE) = 0
""",
    "splice stops at an urgent octet": SERVER
    + """
+0 pipe([5, 6]) = 0
+.1 < PU. 1:11(10) ack 1 win 257 urg 10
+0 > . 1:1(0) ack 11
+0 splice(4, NULL, 6, NULL, 100, 0) = 9
+0 splice(4, NULL, 6, NULL, 100, 0) = 0
+0 splice(4, NULL, 6, NULL, 100, SPLICE_F_NONBLOCK) = -1 EAGAIN (there is nothing else)
+0 read(5, ..., 100) = 9
""",
    "a file that the script made is sent": SERVER
    + """
+0 `dd if=/dev/zero of=/tmp/made bs=1k count=2 status=none`
+0 open("/tmp/made", O_RDONLY) = 5
+0 sendfile(4, 5, [1024], 4096) = 1024
+0 > P. 1:1025(1024) ack 1
+0 < . 1:1(0) ack 1025 win 257
+0 sendfile(4, 5, NULL, 5) = 5
+0 > P. 1025:1030(5) ack 1
+0 `rm -f /tmp/made`
+0 open("/tmp/made", O_RDONLY) = -1 ENOENT (No such file or directory)
""",
    "a socket connects again after a refusal": CLIENT.partition("+.1")[0]
    + """
+.1 < R. 0:0(0) ack 1 win 0
+0 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
+.1 < S. 0:0(0) ack 1 win 65535 <mss 1460>
+0 > . 1:1(0) ack 1
+0 connect(3, AF_UNSPEC, ...) = 0
+0 > R. 1:1(0) ack 1
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
""",
    "an exclusive interest stays as it is": SERVER
    + """
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLEXCLUSIVE, fd=4}) = 0
+0 epoll_ctl(5, EPOLL_CTL_MOD, 4, {events=EPOLLIN, fd=4}) = -1 EINVAL (Invalid argument)
""",
    "no more than seventeen buffers that are not copied go into a segment": SERVER
    + f"""
+0 setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0
+0 sendmsg(4, {{msg_name(...)=..., msg_iov(20)=[{', '.join(['{..., 10}'] * 20)}], msg_flags=0}}, MSG_ZEROCOPY) = 200
+0 > P. 1:171(170) ack 1
+.1 < . 1:1(0) ack 171 win 257
+0 > P. 171:201(30) ack 1
+.1 < . 1:1(0) ack 201 win 257
+0 recvmsg(4, {{msg_name(...)=..., msg_iov(1)=[{{..., 0}}], msg_flags=MSG_ERRQUEUE,
     msg_control=[{{cmsg_level=CMSG_LEVEL_IP, cmsg_type=CMSG_TYPE_RECVERR,
       cmsg_data={{ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=0, ee_data=0}}}}]}},
     MSG_ERRQUEUE) = 0
+0 sendmsg(4, {{msg_name(...)=..., msg_iov(20)=[{', '.join(['{..., 10}'] * 20)}], msg_flags=0}}, 0) = 200
+0 > P. 201:401(200) ack 1
""",
    "MSG_WAITALL waits for all": SERVER
    + """
+0...0.2 recv(4, ..., 20, MSG_WAITALL) = 20
+.1 < P. 1:11(10) ack 1 win 257
+0 > . 1:1(0) ack 11
+.1 < P. 11:31(20) ack 1 win 257
+0 > . 1:1(0) ack 31
""",
    "a blocking write waits for room": SERVER
    + """
+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [4096], 4) = 0
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 write(4, ..., 1000) = 1000
+0 > P. 1:1001(1000) ack 1
+0 fcntl(4, F_SETFL, O_RDWR) = 0
+0 write(4, ..., 7000) = 7000
+0 > P. 1001:8001(7000) ack 1
+0...0.1 write(4, ..., 1000) = 1000
+.1 < . 1:1(0) ack 2001 win 257
+0 < . 1:1(0) ack 3001 win 257
+0 < . 1:1(0) ack 4001 win 257
+0 < . 1:1(0) ack 5001 win 257
+0 < . 1:1(0) ack 6001 win 257
""",
    "a client waits for its connection": """
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.2 connect(3, ..., ...) = 0
+0 > S 0:0(0) <...>
+.2 < S. 0:0(0) ack 1 win 65535 <mss 1460>
+0 > . 1:1(0) ack 1
""",
    "and for its refusal": """
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.2 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)
+0 > S 0:0(0) <...>
+.2 < R. 0:0(0) ack 1 win 0
""",
}


@pytest.mark.parametrize("version", ["ipv4", "ipv6", "ipv4-mapped-ipv6"])
@pytest.mark.parametrize("name", PASSING)
def test_a_call_does_as_the_script_says(name: str, version: str) -> None:
    run_script(parse(PASSING[name], name, profile(Script(), version).symbols), version)


@pytest.mark.parametrize(
    "line",
    [
        "ioctl(4, SIOCINQ, [11]) = 0",
        "fcntl(4, F_GETFL) = 0x802",
        "poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1",
        "getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0",
        "getsockopt(4, SOL_TCP, TCP_CONGESTION, \"bbr\", [16]) = 0",
        "recv(4, ..., 10, MSG_DONTWAIT) = 0",
        "open(\"/etc/passwd\", O_RDONLY) = 5",
        "recv(4, ..., 10, MSG_DONTWAIT) = -1 EBADF (no)",
    ],
)
def test_another_outcome_is_seen(line: str) -> None:
    with pytest.raises(Mismatch):
        run_script(parse(f"{SERVER}+0 {line}\n"), "ipv4")


@pytest.mark.parametrize("line", ["socket(1) = 3", "setsockopt(4, SOL_TCP, NO_SUCH, [1], 4) = 0"])
def test_what_is_no_call_is_said(line: str) -> None:
    with pytest.raises(ScriptError):
        run_script(parse(f"{SERVER}+0 {line}\n"), "ipv4")


ICMP = {
    "a datagram for nobody": (
        "0 < udp(100)\n+0 > icmp unreachable port_unreachable\n",
        ("ipv4", "ipv6"),
    ),
    "an echo": ("0 < icmp echo_request id 7\n+0 > icmp echo_reply id 7\n", ("ipv4", "ipv6")),
    "an error ends a connection attempt": (
        CLIENT.partition("+.1")[0] + "+.1 < icmp unreachable port_unreachable [0:0(0)]\n"
        "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n",
        ("ipv4", "ipv6"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ICMP)
def test_control_messages(name: str) -> None:
    text, wanted = ICMP[name]
    for version in wanted:
        run_script(parse(text, name), version)
