"""Shell lines in scripts: read as words, mapped onto the host, never executed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.lab.network import Network
from stack.testing.drill.commands import Commands
from stack.testing.drill.emulated_process import EmulatedProcess
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.parser import parse
from stack.testing.drill.profile import DEFAULTS, addresses, versions
from stack.testing.drill.run import run_script
from stack.testing.drill.script import Command, ScriptError
from stack.testing.drill.shell_words import ShellError
from stack.testing.drill.tun import Tun
from tests.testing.drill.test_run import SERVER


def said(commands: Commands, text: str) -> tuple[str, int]:
    """What a text prints, and its exit status."""
    done = commands.shell.run(text)
    return done.text, done.status


@pytest.fixture
def commands() -> Commands:
    network = Network(1)
    host = network.host("host")
    profile = addresses(4)
    Tun(host, "tun0", [profile.local])
    return Commands(EmulatedProcess(host, profile))


@pytest.mark.parametrize(("text", "printed"), [
    ("echo a 'b c' \"d e\" # no\necho g && echo h", "a b c d e\ng\nh\n"),
    ("echo a \\\n  b=1", "a b=1\n"),
    ("echo \"1 $((600*1024)) $((1 << 4))\" > /dev/null 2>&1; echo x 2>/dev/null >&2", "x\n"),
    ("X=3; Y=\"$X $X\"; echo $X ${Y} '$X' \\$X \"\\$X\" ${Z:-none} $((X*2))", "3 3 3 $X $X $X none 6\n"),
    ("X=$(sysctl -n net.ipv4.tcp_sack); echo $X > /proc/sys/net/ipv4/tcp_dsack; cat /proc/sys/net/ipv4/tcp_dsack", "1\n"),
    ("for i in 1 2 $(echo 3 4); do echo $i; done | cat", None),
    ("for i in 1 2 $(echo 3 4); do echo $i; done", "1\n2\n3\n4\n"),
    ("if [ -f /proc/sys/net/ipv4/tcp_sack ]; then echo yes; else echo no; fi", "yes\n"),
    ("if test -e /proc/sys/net/ipv4/tcp_foo\nthen\n echo yes\nelif [ 1 -eq 1 ]; then echo elif\nelse echo no\nfi", "elif\n"),
    ("case $(uname) in Lin*|x) echo linux;; *) echo other;; esac", "linux\n"),
    ("N=0; while [ $N -lt 3 ]; do N=$((N+1)); done; echo $N; until true; do true; done", "3\n"),
    ("false || echo or; ! false && echo and; { echo a; (echo b) }", "or\nand\na\nb\n"),
    ("[ \"a\" = \"a\" -a 2 -gt 1 ] && [[ a != b ]] && [ -n x ] && [ -z '' ] && test ! -f /nowhere && echo all", "all\n"),
    ("echo 'a b:c' | cut -d: -f2; printf '%s-%d\\n' x 7; echo -n q", "c\nx-7\nq"),
    ("printf 'b\\na\\na\\n' > /tmp/f; sort /tmp/f | uniq | wc -l; grep -c a /tmp/f; head -n 1 /tmp/f; tail -n 1 < /tmp/f", "2\n2\nb\na\n"),
    ("echo x1y | grep -o '[0-9]'; echo ab | grep -E 'a|z'; echo ab | grep 'a\\|z'; echo a+b | grep a+b; echo abc | tr -d b", "1\nab\nab\na+b\nac\n"),
    ("sudo sh -c 'echo in'; bash -c \"echo too\"; eval 'echo three'", "in\ntoo\nthree\n"),
    ("sysctl net.ipv4.tcp_syn_retries net.ipv4.tcp_wmem", "net.ipv4.tcp_syn_retries = 6\nnet.ipv4.tcp_wmem = 4096\t131072\t4194304\n"),
    ("exit 3; echo never", ""),
    ("sysctl -q net.ipv4.tcp_nothing=1 || echo no; if sysctl net.ipv4.tcp_nothing; then echo yes; else echo no; fi", "no\nno\n"),
    ("[ -f /proc/sys/net/ipv4/tcp_recovery ] && sysctl -q net.ipv4.tcp_recovery=0; sysctl -n net.ipv4.tcp_recovery", "0\n"),
])  # fmt: skip
def test_text_is_read_as_a_shell_does(commands: Commands, text: str, printed: str | None) -> None:
    if printed is None:
        with pytest.raises(ShellError):
            commands.shell.run(text)
    else:
        assert said(commands, text)[0] == printed


@pytest.mark.parametrize("text", ["false", "exit 2", "echo a | grep b", "grep a /nowhere", "cat /nowhere", "[ 1 = 2 ]", "! true", "(false)", "true; false"])
def test_a_status_that_is_not_0_fails_the_script(commands: Commands, text: str) -> None:
    with pytest.raises(Mismatch, match="exit status"):
        commands.run(Command(text))
    commands.run(Command(f"{text} || true" if ";" not in text and "exit" not in text else "true"))


@pytest.mark.parametrize("text", [
    "echo 'b", 'echo "b', "echo $((1/0))", "echo $((2**99))", "echo >", "echo $((1<<99999))", "if true", "for i in 1; echo", "case x", "a ) b",
    "echo $(echo", "cat <<EOF\nEOF", "while true; do true; done", "| a", "a | | b", "[ 1", "test a b c d", "grep -E '(a+)+b' /proc/net/tcp",
    "{ echo a", "head -c 99999999999 /dev/zero", "(" * 50 + "true" + ")" * 50,
])  # fmt: skip
def test_what_is_not_understood_is_refused(commands: Commands, text: str) -> None:
    with pytest.raises(ScriptError):
        commands.run(Command(text))


@given(st.lists(st.sampled_from([*"$(){};|&<>'\"\\ \n#!=", "if ", "then ", "fi", "echo ", "true", "a", "$((", "case ", "esac", "do ", "done", "in "]), max_size=20))
def test_any_text_runs_or_is_refused(pieces: list[str]) -> None:
    network = Network(1)
    host = network.host("host")
    with suppress(ScriptError, Mismatch):
        Commands(EmulatedProcess(host, addresses(4))).run(Command("".join(pieces)))


def settings(commands: Commands, text: str) -> object:
    commands.run(Command(text))
    return commands.process.host.engine.tcp.settings


def test_init_scripts_are_read_like_other_lines() -> None:
    text = SERVER.replace("<...>", "<mss 1460,nop,nop,sackOK,nop,wscale 8>")
    run_script(parse(f"--init_scripts=../common/defaults.sh\n{text}"), "ipv4")
    with pytest.raises(ScriptError, match=r"unknown\.sh cannot be mapped"):
        run_script(parse(f"--init_scripts=../common/defaults.sh,./unknown.sh\n{text}"), "ipv4")


def test_every_way_to_set_a_sysctl(commands: Commands) -> None:
    for number, text in enumerate(
        [
            "sysctl -q net.ipv4.tcp_syn_retries={}", "sysctl -w net/ipv4/tcp_syn_retries={}", "../common/set_sysctls.py /proc/sys/net/ipv4/tcp_syn_retries={}",
            "echo {} > /proc/sys/net/ipv4/tcp_syn_retries", "echo {} | tee /proc/sys/net/ipv4/tcp_syn_retries", "sysctl -e -q net.ipv4.tcp_sack=1 net.ipv4.tcp_syn_retries={}",
        ],
        start=1,
    ):  # fmt: skip
        settings(commands, text.format(number))
        assert commands.process.host.engine.tcp.settings.syn_retries == number
    settings(commands, 'sysctl -q net.ipv4.tcp_rmem="4096 $((600*1024)) 9000000"')
    made = commands.process.host.engine.tcp.settings
    assert (made.receive_buffer, made.receive_buffer_max) == (614_400, 9_000_000)


def test_the_defaults_are_those_of_the_scripts(commands: Commands) -> None:
    settings(commands, "../../common/defaults.sh")
    made = commands.process.host.engine.tcp.settings
    assert (made.receive_buffer, made.receive_buffer_max, made.syn_retries) == (540_000, 15_728_640, 5)
    assert (made.slow_start_after_idle, made.ecn) == (False, 0)
    assert "net.ipv4.tcp_fastopen_key" in DEFAULTS


def test_what_has_no_effect_has_none(commands: Commands) -> None:
    before = commands.process.host.engine.tcp.settings
    assert settings(commands, "tc qdisc add dev tun0 root pfifo; ethtool -K tun0 tso off; sleep 1; /tmp/sysctl_restore_${PPID}.sh") == before
    assert settings(commands, "ip tcp_metrics flush all > /dev/null 2>&1") == before


def test_of_queue_disciplines_fq_paces(commands: Commands) -> None:
    for words, paced in (("replace dev tun0 root fq", True), ("replace dev tun0 root pfifo", False), ("add dev tun0 root fq nopacing", False)):
        settings(commands, f"tc qdisc {words}")
        assert commands.process.host.engine.tcp.settings.paced is paced


def test_a_parameter_that_is_fixed_takes_the_value_that_it_has(commands: Commands) -> None:
    before = commands.process.host.engine.tcp.settings
    assert settings(commands, "echo 717 > /sys/module/tcp_cubic/parameters/beta") == before
    with pytest.raises(ScriptError, match="beta"):
        settings(commands, "echo 512 > /sys/module/tcp_cubic/parameters/beta")


def test_sysctl_e_passes_over_what_there_is_not(commands: Commands) -> None:
    before = commands.process.host.engine.tcp.settings
    assert settings(commands, "sysctl -e -q net.ipv4.tcp_nothing=1") == before
    with pytest.raises(ScriptError, match="tcp_nothing"):
        settings(commands, "sysctl -q net.ipv4.tcp_nothing=1")


@pytest.mark.parametrize(
    "text",
    [
        "make world", "ip frobnicate", "sysctl net.ipv4.nothing=1", "echo 1 > /proc/self/x", "set_sysctls.py nothing", "nstat | grep TcpExtNoSuchThing",
        "cat /etc/passwd | mail me", "echo 1 > /sys/module/tcp_cubic/parameters/nothing", "ip route change nowhere mtu 900",
        "sysctl net.inet.tcp.nothing=1",
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_fails_by_its_name(commands: Commands, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        commands.run(Command(text))
    assert text.split()[0].rsplit("/", 1)[-1] in str(caught.value)


def test_freebsd_names_its_own(commands: Commands) -> None:
    settings(commands, "sysctl -w net.inet.tcp.sack.enable=0\nsysctl -w net.inet.tcp.delacktime=50\nsysctl -w kern.ipc.maxsockbuf=2097152\nkldload -n tcp_rack")
    made = commands.process.host.engine.tcp.settings
    assert (made.sack, made.delayed_ack) == (False, 50_000_000)


def test_sockstat_counts_and_tcpdrop_drops() -> None:
    half_open = SERVER.partition("+.1")[0]
    run_script(parse(half_open + "+.1 `sockstat -4 -P tcp -s -p 8080 | grep -c SYN_RCVD | grep 1`\n"), "ipv4")
    with pytest.raises(Mismatch, match="SYN_RCVD"):
        run_script(parse(half_open + "+.1 `sockstat -4 -P tcp -s -p 8080 | grep -c SYN_RCVD | grep 0`\n"), "ipv4")
    run_script(parse(SERVER + "+0 `tcpdrop -s ESTABLISHED`\n+0 read(4, ..., 1) = -1 ECONNRESET (reset)\n"), "ipv4")


def test_a_sysctl_reaches_connections_that_are_there() -> None:
    text = SERVER + (
        "+0 setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1000], 4) = 0\n+0 `sysctl -q net.ipv4.tcp_keepalive_time=50 net.ipv4.tcp_keepalive_intvl=7`\n"
        "+0 getsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1000], [4]) = 0\n+0 getsockopt(4, SOL_TCP, TCP_KEEPINTVL, [7], [4]) = 0\n"
    )
    run_script(parse(text), "ipv4")


def test_nstat_counts_since_it_was_last_asked() -> None:
    text = SERVER.replace("0    socket", "0 `nstat -n`\n+0 socket") + (
        "+0 < P. 2000001:2000011(10) ack 1 win 257\n+0 > . 1:1(0) ack 1\n"
        "+0 `nstat | grep TcpExtBeyondWindow | grep -q ' 1 '`\n+0 `nstat -z | grep TcpExtBeyondWindow | grep -q ' 0 '`\n"
    )
    run_script(parse(text), "ipv4")
    with pytest.raises(Mismatch, match="TcpExtBeyondWindow"):
        run_script(parse(text.replace("' 1 '", "' 2 '")), "ipv4")


def test_ip_versions_follow_from_option_name_and_cookie() -> None:
    assert versions(parse("0 < . 1:1(0) ack 1 win 100", "a.pkt")) == ("ipv4", "ipv6", "ipv4-mapped-ipv6")
    assert versions(parse("0 < . 1:1(0) ack 1 win 100", "a-v6.pkt")) == ("ipv6",)
    assert versions(parse("--ip_version=ipv4\n0 < . 1:1(0) ack 1 win 100", "a-v6.pkt")) == ("ipv4",)
    assert versions(parse("0 < . 1:1(0) ack 1 win 100"), "ipv6") == ("ipv6",)
    cookie = "0 < S 0:10(10) win 1000 <mss 1460,FO 3021b9d889017eeb,nop,nop>"
    assert versions(parse(cookie)) == ("ipv4", "ipv4-mapped-ipv6")
    with pytest.raises(ScriptError, match="ip_version"):
        versions(parse("--ip_version=ipv5\n0 < . 1:1(0) ack 1 win 100"))


def test_the_list_of_sockets_is_looked_through() -> None:
    def seen(*greps: str) -> None:
        run_script(parse(f"{SERVER}+0 `{' | '.join(greps)}`\n"), "ipv4")

    seen('grep " 0A " /proc/net/tcp /proc/net/tcp6', 'grep ":1F90"')
    seen("grep :1F90 /proc/net/tcp", 'grep -v " 0A "', 'grep -q "0100A8C0:1F90 010200C0:.... 01 "')
    with pytest.raises(Mismatch, match="exit status is 1"):
        seen("grep :1F91 /proc/net/tcp")
    with pytest.raises(ScriptError):
        seen("grep 0A /proc/net/tcp", "awk 1")


PING = "0 < icmp echo_request id 7 [raw (10)]\n"
ASKED = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS (go)\n"


@pytest.mark.parametrize(("sysctl", "text"), [
    ("ip_default_ttl=9", ASKED + "+0 > (ttl 9) S 0:0(0) <...>\n"),
    ("ip_local_port_range='2000 2000'", ASKED + "+0 getsockname(3, {sa_family = AF_INET, sin_port = htons(2000), sin_addr = inet_addr(\"192.168.0.1\")}, [16]) = 0\n"),
    ("ip_no_pmtu_disc=1", ASKED + "+0 getsockopt(3, SOL_IP, IP_MTU_DISCOVER, [IP_PMTUDISC_DONT], [4]) = 0\n"),
    ("tcp_reflect_tos=1", SERVER.replace("< S 0", "< [tos 0x48] S 0").replace("> S. 0", "> [tos 0x48] S. 0")
     + "+0 write(4, ..., 10) = 10\n+0 > [tos 0x48] P. 1:11(10) ack 1\n"),
    ("icmp_echo_ignore_all=1", PING + "+0 `true`\n+1 < udp (1)\n+0 > icmp unreachable port_unreachable\n"),
    ("tcp_min_snd_mss=100", SERVER.replace("mss 1000", "mss 64") + "+0 write(4, ..., 100) = 100\n+0 %{ assert tcpi_snd_mss == 100, tcpi_snd_mss }%\n"),
    ("tcp_pingpong_thresh=2", SERVER + "+0 < P. 1:11(10) ack 1 win 257\n+0 > . 1:1(0) ack 11\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 11\n"
     "+0 < P. 11:21(10) ack 11 win 257\n+0 > . 11:11(0) ack 21\n+0 write(4, ..., 10) = 10\n+0 > P. 11:21(10) ack 21\n"
     "+0 < P. 21:31(10) ack 21 win 257\n+.04 > . 21:21(0) ack 31\n"),
])  # fmt: skip
def test_sysctls_of_the_host_act(sysctl: str, text: str) -> None:
    run_script(parse(f"`sysctl -q net.ipv4.{sysctl}`\n{text}"), "ipv4")
    with pytest.raises(Mismatch):
        run_script(parse(text), "ipv4")


@pytest.mark.parametrize("name", [
    "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv6.conf.tun0.disable_ipv6=0", "net.ipv4.route.flush=1", "kernel.printk=4",
    "net.ipv4.tcp_tw_reuse=2", "net.core.netdev_budget=300",
])  # fmt: skip
def test_sysctls_that_decide_nothing_here(commands: Commands, name: str) -> None:
    before = commands.process.host.engine.tcp.settings
    assert settings(commands, f"sysctl -q {name}") == before


@pytest.mark.parametrize("name", [
    "net.ipv4.tcp_tw_reuse=1", "net.ipv4.tcp_rcvbuf_low_rtt=1000", "net.ipv4.ip_no_pmtu_disc=3", "net.ipv4.ip_nonlocal_bind=1",
    "net.ipv4.ip_default_ttl=0",
])  # fmt: skip
def test_what_is_not_emulated_of_sysctls_is_refused_by_name(commands: Commands, name: str) -> None:
    with pytest.raises(ScriptError, match=name.partition("=")[0]):
        settings(commands, f"sysctl -q {name}")


KNOWN = """0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 sendto(3, ..., 0, MSG_FASTOPEN, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7,FO,nop,nop>
+.01 < S. 123:123(0) ack 1 win 5840 <mss 1040,sackOK,TS val 700 ecr 100,nop,wscale 6,FO abcd1234,nop,nop>
+0 > . 1:1(0) ack 1 <nop,nop,TS val 110 ecr 700>
+0 close(3) = 0
+0 > F. 1:1(0) ack 1 <nop,nop,TS val 110 ecr 700>
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
"""
AGAIN = {
    True: "+0 sendto(4, ..., 100, MSG_FASTOPEN, ..., ...) = 100\n+0 > S 0:100(100) <...>\n",
    False: "+0 sendto(4, ..., 100, MSG_FASTOPEN, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n+0 > S 0:0(0) <...>\n",
}


@pytest.mark.parametrize(("command", "kept"), [
    ("true", True), ("ip tcp_metrics show", True), ("ip tcp_metrics delete 192.0.2.9", True), ("ip tcp_metrics delete 192.0.2.1", False),
    ("ip tcp_metrics flush all > /dev/null 2>&1", False), ("ip -4 tcp_metrics flush", False),
])  # fmt: skip
def test_cookies_are_forgotten_with_the_metrics_of_peers(command: str, kept: bool) -> None:
    run_script(parse(f"{KNOWN}+0 `{command}`\n{AGAIN[kept]}"), "ipv4")
