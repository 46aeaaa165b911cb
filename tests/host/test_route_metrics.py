"""What a route says of its path is what TCP does on it: ip-route(8)'s mtu, advmss, initcwnd, rto_min, quickack, congctl."""

from __future__ import annotations

import pytest

from stack.testing.drill.parser import parse
from stack.testing.drill.run import run_script
from stack.testing.drill.script import ScriptError

LISTEN = """
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
"""
OPEN = (
    LISTEN
    + """
+0 < S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 4
"""
)
STORIES = {
    "advmss is what we announce, and binds nobody else": (
        "advmss 600",
        LISTEN + "+0 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <mss 600>\n+.1 < . 1:1(0) ack 1 win 65535\n"
        "+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 1460) = 1460\n+0 > P. 1:1461(1460) ack 1\n",
    ),
    "mtu is how large our packets are": (
        "mtu 1280", OPEN + "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n+0 write(4, ..., 1300) = 1300\n"
        "+0 > . 1:1241(1240) ack 1\n+0 > P. 1241:1301(60) ack 1\n",
    ),
    "initcwnd is the first window": (
        "initcwnd 2", OPEN + "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n+0 write(4, ..., 2920) = 2920\n+0 write(4, ..., 100) = 100\n"
        "+0 > . 1:1461(1460) ack 1\n+0 > P. 1461:2921(1460) ack 1\n+.1 < . 1:1(0) ack 2921 win 1000\n+0 > P. 2921:3021(100) ack 1\n",
    ),
    "initrwnd is the first window that we offer": (
        "initrwnd 3", LISTEN + "+0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop,nop,wscale 7>\n"
        "+0 > S. 0:0(0) ack 1 win 4380 <mss 1460,nop,nop,sackOK,nop,wscale 7>\n",
    ),
    "window is the largest that we offer": (
        "window 8192", LISTEN + "+0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop,nop,wscale 7>\n"
        "+0 > S. 0:0(0) ack 1 win 7300 <mss 1460,nop,nop,sackOK,nop,wscale 0>\n",
    ),
    "reordering is how far segments may be overtaken": (
        "reordering 9", OPEN + "+0 %{ assert tcpi_reordering == 9, tcpi_reordering }%\n",
    ),
    "fastopen_no_cookie sends text with a SYN, whatever is known of the peer": (
        "fastopen_no_cookie 1", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
        "+0 sendto(3, ..., 100, MSG_FASTOPEN, ..., ...) = 100\n+0 > S 0:100(100) <...>\n",
    ),
    "quickack acknowledges at once": (
        "quickack 1", OPEN + "+0 < P. 1:11(10) ack 1 win 1000\n+0 > . 1:1(0) ack 11\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 11\n"
        "+.01 < P. 11:21(10) ack 11 win 1000\n+0 > . 11:11(0) ack 21\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_a_route_says_what_tcp_does(name: str) -> None:
    metrics, text = STORIES[name]
    run_script(parse(f"--strict_segments\n`ip route change 192.0.2.1 via 192.168.0.2 dev tun0 {metrics}`\n{text}", name), "ipv4")


def test_the_last_word_counts() -> None:
    text = OPEN.replace("+0 > S. 0:0(0) ack 1 <...>", "+0 > S. 0:0(0) ack 1 <mss 700,nop,nop,sackOK,nop,wscale 7>")
    lines = "`ip route replace default via 192.168.0.2 advmss 900\nip route change 192.0.2.0/24 advmss 800\nip route change 192.0.2.0/24 advmss 700`"
    run_script(parse(f"{lines}\n{text}"), "ipv4")


def test_a_locked_mtu_believes_no_router() -> None:
    text = (
        OPEN + "+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 1\n+0 < icmp unreachable frag_needed mtu 700 [1:1001(1000)]\n"
        "+.1 < . 1:1(0) ack 1001 win 1000\n"
    )
    run_script(parse("`ip route change 192.0.2.1 dev tun0 mtu lock 1500`\n" + text), "ipv4")


def test_what_is_not_emulated_is_refused() -> None:
    for metric in ("ssthresh 3", "rtt 100ms", "cwnd 7", "hoplimit 9", "nothing 1", "mtu many"):
        with pytest.raises(ScriptError, match=metric):
            run_script(parse(f"`ip route change 192.0.2.1 dev tun0 {metric}`\n{LISTEN}"), "ipv4")
    run_script(parse(f"`ip -6 route change 2001:db8::/32 dev tun0 initcwnd 9 onlink`\n{LISTEN}"), "ipv4")
