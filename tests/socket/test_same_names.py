"""Names, services and numeric addresses: one verdict on the emulation and on the operating system (RFC 3493 section 6)."""

from __future__ import annotations

import socket
from socket import AF_INET, AF_INET6, AF_UNSPEC, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from typing import Any

import pytest

from tests.socket.worlds import World

ANY4 = ("127.0.0.1", 80)


def code_of(*arguments: Any) -> int | None:
    with pytest.raises(socket.gaierror) as trouble:
        socket.getaddrinfo(*arguments)
    return trouble.value.errno


def test_a_numeric_address_gives_each_kind_of_socket(world: World) -> None:
    assert socket.getaddrinfo("127.0.0.1", 80) == [
        (AF_INET, SOCK_STREAM, 6, "", ANY4),
        (AF_INET, SOCK_DGRAM, 17, "", ANY4),
        (AF_INET, SOCK_RAW, 0, "", ANY4),
    ]


def test_the_results_have_enumerations(world: World) -> None:
    family, kind, *_ = socket.getaddrinfo("127.0.0.1", 80, type=SOCK_STREAM)[0]
    assert (repr(family), repr(kind)) == (repr(AF_INET), repr(SOCK_STREAM))


@pytest.mark.parametrize(
    ("service", "kind", "port"),
    [("http", SOCK_STREAM, 80), ("domain", SOCK_DGRAM, 53), ("25", SOCK_STREAM, 25), (b"ssh", SOCK_STREAM, 22)],
)
def test_services_by_name(world: World, service: Any, kind: int, port: int) -> None:
    assert socket.getaddrinfo("127.0.0.1", service, type=kind)[0][4] == ("127.0.0.1", port)


def test_a_service_names_its_transports(world: World) -> None:
    kinds = [entry[1] for entry in socket.getaddrinfo("127.0.0.1", "ssh")]
    assert kinds == [SOCK_STREAM]


def test_localhost(world: World) -> None:
    assert (AF_INET, SOCK_STREAM, 6, "", ANY4) in socket.getaddrinfo("localhost", 80, type=SOCK_STREAM)


def test_no_host_means_this_one(world: World) -> None:
    assert socket.getaddrinfo(None, 80, AF_INET, SOCK_STREAM)[0][4] == ANY4
    assert socket.getaddrinfo(None, 80, AF_INET, SOCK_STREAM, 0, socket.AI_PASSIVE)[0][4] == ("0.0.0.0", 80)


def test_ipv6_numbers(world: World) -> None:
    assert socket.getaddrinfo("2001:db8::1", 80, type=SOCK_STREAM) == [
        (AF_INET6, SOCK_STREAM, 6, "", ("2001:db8::1", 80, 0, 0))
    ]
    assert socket.getaddrinfo(None, 80, AF_INET6, SOCK_STREAM, 0, socket.AI_PASSIVE)[0][4] == ("::", 80, 0, 0)


def test_old_ways_to_write_a_number(world: World) -> None:
    found = [socket.getaddrinfo(text, 1, type=SOCK_STREAM)[0][4][0] for text in ("127.1", "0x7f000001", "2130706433")]
    assert found == ["127.0.0.1"] * 3


def test_a_protocol_chooses_the_kind(world: World) -> None:
    assert [entry[1] for entry in socket.getaddrinfo("127.0.0.1", 80, proto=socket.IPPROTO_UDP)] == [SOCK_DGRAM]


def test_the_canonical_name_stands_once(world: World) -> None:
    names = [entry[3] for entry in socket.getaddrinfo("127.0.0.1", 80, flags=socket.AI_CANONNAME)]
    assert names == ["127.0.0.1", "", ""]


def test_mapped_addresses_for_those_who_want_ipv6(world: World) -> None:
    found = socket.getaddrinfo("127.0.0.1", 80, AF_INET6, SOCK_STREAM, 0, socket.AI_V4MAPPED)
    assert found[0][4] == ("::ffff:127.0.0.1", 80, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((None, None), socket.EAI_NONAME),
        (("no.such.host.invalid", 80, 0, 0, 0, socket.AI_NUMERICHOST), socket.EAI_NONAME),
        (("127.0.0.1", "http", 0, 0, 0, socket.AI_NUMERICSERV), socket.EAI_NONAME),
        (("127.0.0.1", "no-such-service"), socket.EAI_SERVICE),
        (("127.0.0.1", 80, 12345), socket.EAI_FAMILY),
        (("127.0.0.1", 80, AF_UNSPEC, 77), socket.EAI_SOCKTYPE),
        (("127.0.0.1", "domain", AF_UNSPEC, SOCK_RAW), socket.EAI_SERVICE),
        (("127.0.0.1", 80, AF_UNSPEC, SOCK_STREAM, socket.IPPROTO_UDP), socket.EAI_SOCKTYPE),
        (("127.0.0.1", 80, AF_INET6), socket.EAI_ADDRFAMILY),
        (("::1", 80, AF_INET), socket.EAI_ADDRFAMILY),
        ((None, 80, 0, 0, 0, socket.AI_CANONNAME), socket.EAI_BADFLAGS),
        (("127.0.0.1", 80, 0, 0, 0, 1 << 20), socket.EAI_BADFLAGS),
    ],
)
def test_errors_have_their_codes(world: World, arguments: Any, code: int) -> None:
    assert code_of(*arguments) == code


def test_a_missing_name_says_so(world: World) -> None:
    with pytest.raises(socket.gaierror, match="Name or service not known"):
        socket.getaddrinfo("127.0.0.1.5", 80, flags=socket.AI_NUMERICHOST)


def test_services_by_name_and_number(world: World) -> None:
    assert [socket.getservbyname(name) for name in ("http", "domain", "echo")] == [80, 53, 7]
    assert socket.getservbyname("tftp", "udp") == 69
    assert [socket.getservbyport(80), socket.getservbyport(53, "udp")] == ["http", "domain"]
    with pytest.raises(OSError, match="service/proto not found"):
        socket.getservbyname("tftp", "tcp")
    with pytest.raises(OSError, match="port/proto not found"):
        socket.getservbyport(4, "tcp")
    with pytest.raises(OverflowError):
        socket.getservbyport(65536)


def test_gethostbyname_of_numbers(world: World) -> None:
    assert [socket.gethostbyname(name) for name in ("10.1.2.3", "localhost", "", "<broadcast>")] == [
        "10.1.2.3",
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
    ]


def test_getnameinfo_of_numbers(world: World) -> None:
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert socket.getnameinfo(("10.1.2.3", 80), numeric) == ("10.1.2.3", "80")
    assert socket.getnameinfo(("2001:db8::1", 53), numeric) == ("2001:db8::1", "53")
    assert socket.getnameinfo(("10.1.2.3", 80), socket.NI_NUMERICHOST) == ("10.1.2.3", "http")
    assert socket.getnameinfo(("10.1.2.3", 69), socket.NI_NUMERICHOST | socket.NI_DGRAM)[1] == "tftp"
    assert socket.getnameinfo(("10.1.2.3", 4), socket.NI_NUMERICHOST)[1] == "4"


def test_this_host_has_a_name(world: World) -> None:
    assert socket.gethostname()
    assert socket.getfqdn()


def test_interfaces_have_numbers(world: World) -> None:
    interfaces = socket.if_nameindex()
    assert (1, "lo") in interfaces
    assert all(socket.if_nametoindex(name) == index for index, name in interfaces)
    assert socket.if_indextoname(1) == "lo"
    with pytest.raises(OSError):
        socket.if_nametoindex("none")
