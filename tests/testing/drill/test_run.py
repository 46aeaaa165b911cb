"""Scripts that a host must pass, and what it says of those that it must not: times, packets, results, blocking calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.parser import parse
from stack.testing.drill.profile import VERSIONS
from stack.testing.drill.run import run_script
from stack.testing.drill.script import ScriptError

SERVER = """
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0   > S. 0:0(0) ack 1 <...>
+.1  < . 1:1(0) ack 1 win 257
+0   accept(3, ..., ...) = 4
"""

CLIENT = """
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0   connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0   > S 0:0(0) <...>
+.1  < S. 0:0(0) ack 1 win 65535 <mss 1460>
+0   > . 1:1(0) ack 1
+0   getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
"""

PASSING = {
    "a server reads and closes": SERVER
    + """
+0   < P. 1:1001(1000) ack 1 win 257
+0   > . 1:1(0) ack 1001
+0   read(4, ..., 2000) = 1000
+0   close(4) = 0
+0   > F. 1:1(0) ack 1001
+0   < F. 1001:1001(0) ack 2 win 257
+0   > . 2:2(0) ack 1002
""",
    "a client writes more than fits one segment": CLIENT
    + """
+0   write(3, ..., 3000) = 3000
+0   > P. 1:3001(3000) ack 1
+.1  < . 1:1(0) ack 3001 win 65535
""",
    "a call waits until data comes": SERVER
    + """
+.1...0.3 read(4, ..., 1000) = 500
+.2  < P. 1:501(500) ack 1 win 257
+0   > . 1:1(0) ack 501
""",
    "ranges and any time": SERVER
    + """
+0   write(4, ..., 1000) = 1000
+0   > P. 1:1001(1000) ack 1
*    > P. 1:1001(1000) ack 1
+.1~+1 > P. 1:1001(1000) ack 1
""",
    "after a range, times count from when it was": SERVER
    + """
+0   write(4, ..., 1000) = 1000
+0   > P. 1:1001(1000) ack 1
+0~+1 > P. 1:1001(1000) ack 1
+0   < . 1:1(0) ack 1001 win 257
+0   write(4, ..., 1000) = 1000
+0   > P. 1001:2001(1000) ack 1
""",
    "poll tells what a socket is ready for": SERVER
    + """
+0   poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
+0...0.2 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000) = 1
+.2  < P. 1:11(10) ack 1 win 257
+0   > . 1:1(0) ack 11
""",
    "poll gives up after its time": SERVER + "+0...0.05 poll([{fd=4, events=POLLIN, revents=0}], 1, 50) = 0\n",
    "a listener without room for a connection that is not there": SERVER
    + """
+0   fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0   accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)
""",
    "a second connection on the same listener, with ports of its own": """
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 5) = 0
+0   < 1000 > 8080 S 0:0(0) win 32792 <mss 1000>
+0   > 8080 > 1000 S. 0:0(0) ack 1 <...>
+0   < 2000 > 8080 S 5:5(0) win 32792 <mss 1000>
+0   > 8080 > 2000 S. 0:0(0) ack 6 <...>
+.1  < 1000 > 8080 . 1:1(0) ack 1 win 257
+0   accept(3, ..., ...) = 4
+0   write(4, ..., 10) = 10
+0   > 8080 > 1000 P. 1:11(10) ack 1
""",
    "octets go through a pipe": SERVER
    + """
+0   pipe([5, 6]) = 0
+0   write(6, ..., 100) = 100
+0   splice(5, NULL, 4, NULL, 1000, 0) = 100
+0   > P. 1:101(100) ack 1
+0   < P. 1:51(50) ack 101 win 257
+0   splice(4, NULL, 6, NULL, 1000, 0) = 50
+0   read(5, ..., 100) = 50
""",
    "a datagram and its answer": """
0    socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
+0   bind(3, ..., ...) = 0
+1   < udp(100)
+0   recvfrom(3, ..., 1000, 0, ..., ...) = 100
+1   sendto(3, ..., 50, 0, ..., ...) = 50
+0   > udp(50)
""",
    "code sees the connection": SERVER + "+0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_snd_mss == 1000 }%\n",
    "a sysctl": "`sysctl -q net.ipv4.tcp_sack=0`\n" + SERVER.replace("<...>", "<mss 1460,nop,wscale 7>"),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", PASSING)
def test_a_script_passes(name: str, version: str) -> None:
    run_script(parse(PASSING[name], name), version)


FAILING = {
    "another packet": (SERVER + "+0 write(4, ..., 10) = 10\n+0 > P. 1:10(9) ack 1\n", "length", 11),
    "no packet": (SERVER + "+0 > P. 1:12(11) ack 1\n", "no packet was sent in time", 10),
    "a packet too early": (SERVER + "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1\n", "at another time", 11),
    "a packet too late": (CLIENT.replace("+0   > S", "+.2   > S", 1), "at another time", 5),
    "a packet that is not expected": (
        SERVER + "+0 write(4, ..., 10) = 10\n+.1 < . 1:1(0) ack 11 win 257\n+0 close(4) = 0\n+0 > F. 11:11(0) ack 1\n",
        "flags", 13,
    ),
    "another result": (SERVER + "+0 write(4, ..., 10) = 11\n", "another result", 10),
    "another errno": (CLIENT.replace("EINPROGRESS", "EAGAIN"), "another result", 4),
    "a call that returns too late": (
        SERVER + "+0...0.1 read(4, ..., 10) = 10\n+.3 < P. 1:11(10) ack 1 win 257\n", "returned at another time", 10,
    ),
    "a call that does not return": (SERVER + "+0 read(4, ..., 10) = 10\n", "does not return", 10),
    "an assertion": (SERVER + "+0 %{ assert tcpi_snd_mss == 999 }%\n", "assert", 10),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_a_script_fails_at_its_line(name: str) -> None:
    text, reason, line = FAILING[name]
    with pytest.raises(Mismatch) as caught:
        run_script(parse(text, name), "ipv4")
    assert reason in caught.value.reason
    assert caught.value.place.line == line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("`rm -rf /; mkfs /dev/sda`\n" + SERVER, "mkfs cannot be mapped"),
        ("`sysctl net.ipv4.tcp_nonsense=1`\n" + SERVER, "tcp_nonsense"),
        ("`echo 1 > /etc/passwd`\n" + SERVER, "/etc/passwd"),
        (SERVER + "+0 fork() = 0\n", "no system call fork"),
        ("--frobnicate=1\n" + SERVER, "--frobnicate"),
    ],
)
def test_what_cannot_be_done_is_said_by_its_name(text: str, reason: str) -> None:
    with pytest.raises(ScriptError, match=reason):
        run_script(parse(text), "ipv4")


def test_a_run_leaves_no_trace_on_the_machine(tmp_path: Path) -> None:
    target = tmp_path / "touched"
    run_script(parse(f"`echo 1 > /tmp{target}; dd if=/dev/zero of={target} count=1`\n{SERVER}"), "ipv4")
    assert not target.exists()
    assert not Path(f"/tmp{target}").exists()


def test_code_sees_what_the_congestion_control_tells() -> None:
    text = SERVER.replace("<...>", "<mss 1460,nop,nop,sackOK,nop,wscale 8>")
    code = "+0 %{ assert (bbr_bw_hi, bbr_pacing_gain, bbr_cwnd_gain) == (0, 739, 739) and bbr_min_rtt > 0 }%\n"
    lines = f"`../common/defaults.sh\nsysctl -q net.ipv4.tcp_congestion_control=bbr`\n{text}\n{code}"
    run_script(parse(lines), "ipv4")
    with pytest.raises(ScriptError, match="bbr_bw_hi"):
        run_script(parse(lines.replace("=bbr`", "=reno`")), "ipv4")


def test_options_of_every_kind_are_read() -> None:
    lines = "-v\n-DNUMBER=4\n-D OTHER=5\n--tolerance_percent=50.5\n--remote_ip=192.0.2.1/24\n--local_linkaddr=00:00:00:00:00:01\n--udp_encaps=none\n--speed=100\n"
    run_script(parse(f"{lines}{SERVER}+2 < P. 1:11(10) ack 1 win 257\n+0 > . 1:1(0) ack 11\n+1 read(NUMBER, ..., 10) = 10\n"), "ipv4")
    with pytest.raises(ScriptError, match="TCP in UDP"):
        run_script(parse(f"--udp_encaps=tcp\n{SERVER}"), "ipv4")


def test_how_far_off_events_may_be_is_a_share_of_the_time_before() -> None:
    waits = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS (x)\n+0 > S 0:0(0) <...>\n"
    run_script(parse(f"--tolerance_percent=25\n{waits}+1.3 > S 0:0(0) <...>\n"), "ipv4")
    for head in ("", "--tolerance_percent=20\n"):
        with pytest.raises(Mismatch, match="another time"):
            run_script(parse(f"{head}{waits}+1.3 > S 0:0(0) <...>\n"), "ipv4")


def test_what_is_not_fatal_is_passed_over() -> None:
    text = f"{SERVER}+0 write(4, ..., 10) = 11\n+0 > P. 1:11(10) ack 2\n+.1 < . 1:1(0) ack 11 win 257\n+0 close(4) = 0\n+0 > F. 11:11(0) ack 1\n"
    for said in ("packet,syscall", "packet --non_fatal=syscall,packet"):
        run_script(parse(f"--non_fatal={said}\n{text}".replace(" --", "\n--")), "ipv4")
    for said in ("packet", "syscall"):
        with pytest.raises(Mismatch):
            run_script(parse(f"--non_fatal={said}\n{text}"), "ipv4")
