"""TAP and TUN: the kernel as a member of a network, in real time."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from stack import IPv4, Network, StackError
from stack.base.address import IPv4Address, IPv6Address
from stack.testing.namespace import Namespace


@pytest.mark.parametrize("kind", ["tap", "tun"])
def test_the_kernel_has_addresses_from_the_plan_and_answers(net: Network, linux: Namespace, kind: str) -> None:
    host = net.host("a")
    kernel = getattr(net, kind)(f"{kind}0", namespace=linux.name)
    net.link(host, kernel, delay="5 ms")
    assert [str(address) for address in kernel.addresses[:2]] == ["10.0.0.2", "fd00::2"]
    assert f"{kind}0" in linux.run("ip", "-br", "link").decode()
    for address in ("10.0.0.2", "fd00::2"):
        result = host.ping(address, count=2)
        assert result.received == 2
        assert 0.010 <= min(result.times) / 1e9 < 0.100


def test_names_find_the_kernel(net: Network, linux: Namespace) -> None:
    host = net.host("a")
    net.link(host, net.tap("linux", namespace=linux.name))
    with host:
        assert socket.gethostbyname("linux") == "10.0.0.2"


def test_the_kernel_gets_routes_to_what_is_beyond_a_router(net: Network, linux: Namespace) -> None:
    host, router, tap = net.host("a"), net.router("r"), net.tap("tap0", namespace=linux.name)
    net.link(router, tap)
    net.link(host, router)
    assert host.ping(str(tap.address), count=1).received == 1
    assert host.ping(str(tap.addresses[1]), count=1).received == 1
    assert "default via 10.0.0.1 dev tap0" in linux.run("ip", "route").decode()


def test_two_kernels_over_our_link(net: Network, linux: Namespace) -> None:
    with Namespace() as other:
        left, right = net.tap("left", namespace=linux.name), net.tap("right", namespace=other.name)
        link = net.link(left, right, delay="20 ms")
        with link.capture(drain=False) as trace:
            net.update()
            server = other.python("import socket; c, _ = socket.create_server(('', 80)).accept(); print(c.recv(9).decode(), flush=True)")
            client = linux.python(
                "import socket, sys, time\n"
                "for _ in range(50):\n"
                "    try: socket.create_connection((sys.argv[1], 80)).sendall(b'hello'); break\n"
                "    except ConnectionRefusedError: time.sleep(0.1)",
                str(right.address),
            )
            net.run_until(lambda: client.poll() is not None and server.poll() is not None)
        assert server.stdout is not None
        assert server.stdout.read() == b"hello\n"
        assert len(trace.filter("tcp.flags.syn == 1 && tcp.flags.ack == 1")) == 1


def test_time_is_real(net: Network, linux: Namespace) -> None:
    """A second of the network takes a second, and the other way round; while nobody runs it, its time stands still."""
    host = net.host("a")
    tap = net.tap("tap0", namespace=linux.name)
    net.link(host, tap)
    start = time.monotonic()
    with host:
        time.sleep(0.3)
        inside = time.monotonic()
        time.sleep(0.2)
        assert 0.2 <= time.monotonic() - inside < 0.3
    assert 0.47 <= time.monotonic() - start < 0.8
    before = net.now
    time.sleep(0.4)
    net.run(until=before / 1e9 + 0.1)
    assert before + 100_000_000 <= net.now < before + 300_000_000
    tap.close()
    net.run(until="1 h")  # virtual again


def test_faults_and_captures_on_the_link_to_the_kernel(net: Network, linux: Namespace) -> None:
    host, tap = net.host("a"), net.tap("tap0", namespace=linux.name)
    link = net.link(host, tap)
    link.drop(lambda packet: IPv4 in packet, times=1)
    with link.capture(drain=False) as trace:
        assert host.ping(str(tap.address), count=2, interval=0.1).received == 1
    assert len(trace.filter("arp")) >= 2
    assert len(trace.filter("icmp")) == 3


def test_what_is_refused(net: Network, linux: Namespace) -> None:
    tap = net.tap("tap0", namespace=linux.name)
    net.link(net.host("a"), tap)
    refusals: list[tuple[str, type[Exception], Callable[[], object]]] = [
        ("tap0 is one interface", StackError, lambda: net.link(net.host(), tap)),
        ("15 octets at most", StackError, lambda: net.tap("a-name-that-is-too-long", namespace=linux.name)),
        ("no network namespace 'nowhere'", StackError, lambda: net.tap("tap1", namespace="nowhere")),
        ("no device 'tap/1'", StackError, lambda: net.tap("tap/1", namespace=linux.name)),
        ("tun1 has no link layer", StackError, lambda: net.link(net.switch(), net.tun("tun1", namespace=linux.name))),
        ("cannot have the address ff02::5/64", StackError, lambda: net.tap("tap2", namespace=linux.name, address="ff02::5/64")),
    ]
    for match, error, call in refusals:
        with pytest.raises(error, match=match):
            call()
            pytest.fail(match)


def test_addresses_that_are_given(net: Network, linux: Namespace) -> None:
    host = net.host("a")
    tap = net.tap("tap0", namespace=linux.name, address="192.0.2.7/28 2001:db8::7/64")
    net.link(host, tap)
    assert tap.addresses[:2] == [IPv4Address("192.0.2.7"), IPv6Address("2001:db8::7")]
    assert host.ping("192.0.2.7", count=1).received == 1
    assert str(host.address) == "192.0.2.1"


def test_without_root_it_says_so(linux: Namespace) -> None:
    program = (
        "import os; from stack import Network\n"
        "from stack.codec.registry import load_formats; load_formats(); net = Network(); os.setuid(65534)\n"
        "try: net.tap('tap0')\n"
        "except PermissionError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "tap0 needs root (CAP_NET_ADMIN)" in said


def test_nothing_is_left(linux: Namespace) -> None:
    with Network() as net:
        net.tap("tap0", namespace=linux.name)
        assert b"tap0" in linux.run("ip", "link")
    assert b"tap0" not in linux.run("ip", "link")
