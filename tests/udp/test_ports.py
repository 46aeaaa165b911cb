"""Who may hold a port beside whom, and which ephemeral port comes next."""

from __future__ import annotations

import errno
import itertools
import socket

import pytest

from stack.base.address import IPv4Address, IPv6Address
from stack.base.randomness import Stream
from stack.udp.ports import DYNAMIC, V4, V6, PortSpace, kind

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
ANY, ANY6 = IPv4Address.UNSPECIFIED, IPv6Address.UNSPECIFIED


def space(seed: int = 1, **options: range) -> PortSpace:
    return PortSpace(Stream(seed), **options)


def test_the_three_ranges_of_iana() -> None:
    assert [kind(port) for port in (0, 80, 1023, 1024, 49151, 49152, 65535)] == ["well-known"] * 3 + ["registered"] * 2 + ["dynamic"] * 2
    with pytest.raises(ValueError, match="65536"):
        kind(65536)


def test_a_port_is_free_again_when_released() -> None:
    ports = space()
    first = ports.bind(A, 80)
    with pytest.raises(OSError) as caught:
        ports.bind(A, 80)
    assert caught.value.errno == errno.EADDRINUSE
    ports.release(first)
    ports.release(first)
    assert len(ports) == 0
    assert ports.bind(A, 80).port == 80


@pytest.mark.parametrize(("first", "second", "clash"), [
    (A, A, True), (A, B, False), (ANY, A, True), (A, ANY, True), (None, A, True),
    (ANY6, A, True), (ANY6, ANY, True), (IPv6Address("::1"), A, False), (IPv6Address("::1"), ANY, False),
    (IPv6Address("::ffff:10.0.0.1"), A, True), (ANY, IPv6Address("::1"), False),
])
def test_wildcards_overlap_as_linux_has_it(first: IPv4Address, second: IPv4Address, clash: bool) -> None:
    ports = space()
    ports.bind(first, 5000)
    try:
        ports.bind(second, 5000)
    except OSError:
        assert clash
    else:
        assert not clash


def test_a_wildcard_of_ipv6_alone_leaves_ipv4_free() -> None:
    ports = space()
    ports.bind(ANY6, 5000, V6)
    assert ports.bind(ANY, 5000, V4).port == 5000


@pytest.mark.parametrize("kinds", list(itertools.product([(), ("reuse_address",), ("reuse_port",), ("reuse_address", "reuse_port")], repeat=2)))
def test_reuse_agrees_with_the_operating_system(kinds: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    """The same two binds on real UDP sockets and here."""
    options = {"reuse_address": socket.SO_REUSEADDR, "reuse_port": socket.SO_REUSEPORT}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
        for real, names in zip((one, two), kinds, strict=True):
            for name in names:
                real.setsockopt(socket.SOL_SOCKET, options[name], 1)
        one.bind(("127.0.0.1", 0))
        real_clash = _fails(lambda: two.bind(one.getsockname()))
    ports = space()
    ports.bind(A, 5000, **dict.fromkeys(kinds[0], True))
    assert _fails(lambda: ports.bind(A, 5000, **dict.fromkeys(kinds[1], True))) == real_clash


def _fails(call: object) -> bool:
    try:
        call()  # type: ignore[operator]
    except OSError:
        return True
    return False


def test_reuse_address_does_not_share_a_port_with_a_listener() -> None:
    ports = space()
    first, second = (ports.bind(A, 80, reuse_address=True) for _ in range(2))
    ports.listen(first)
    with pytest.raises(OSError):
        ports.listen(second)
    with pytest.raises(OSError):
        ports.bind(A, 80, reuse_address=True)
    connection = ports.share(first, A)
    ports.release(first)
    ports.release(second)
    with pytest.raises(OSError):
        ports.bind(ANY, 80)
    restarted = ports.bind(ANY, 80, reuse_address=True)
    ports.listen(restarted)
    assert list(ports.holders(80)) == [connection, restarted]


def test_ephemeral_ports_are_dynamic_and_seeded() -> None:
    chosen = [space(seed).bind(A, 0).port for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert all(port in DYNAMIC for port in chosen)


def test_connections_to_one_remote_use_every_port_once() -> None:
    ports = space(ephemeral=range(50000, 50100))
    used: list[int] = []
    for _ in range(100):
        used.append(ports.connect(A, B, 80, used.__contains__).port)
    assert sorted(used) == list(range(50000, 50100))
    with pytest.raises(OSError) as caught:
        ports.connect(A, B, 80, used.__contains__)
    assert caught.value.errno == errno.EADDRNOTAVAIL
    assert ports.connect(A, B, 81, lambda port: False).port in used  # another remote: the same port serves again


def test_a_port_that_somebody_bound_is_not_chosen() -> None:
    ports = space(ephemeral=range(50000, 50003))
    ports.bind(B, 50000)
    ports.bind(ANY, 50002)
    assert ports.connect(A, B, 80, lambda port: False).port == 50001
    with pytest.raises(OSError):
        ports.bind(ANY, 0)  # what is left overlaps


def test_ports_to_one_remote_follow_each_other_and_differ_between_remotes() -> None:
    ports = space()
    first, second = (ports.connect(A, B, 80, lambda port: False).port for _ in range(2))
    assert (second - first) % len(DYNAMIC) == 1
    starts = [space().connect(A, B, remote, lambda port: False).port for remote in range(50)]
    assert len({*starts}) > 45


def test_a_port_number_out_of_range_is_the_callers_mistake() -> None:
    with pytest.raises(OverflowError, match="70000"):
        space().bind(A, 70000)
