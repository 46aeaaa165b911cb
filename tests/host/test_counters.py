"""A host's counters, under the names that Linux has for them."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from stack import Network
from stack.host.counters import HostCounters
from stack.lab.host import Host
from stack.tcp.counters import LEFT_OUT, NAMES


def transfer(client: Host, server: Host, size: int = 100_000) -> None:
    """Octets from the client to the server, to the end."""

    @server.program
    def serve() -> None:
        with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
            while connection.recv(1 << 16):
                pass

    with client, socket.create_connection((server.name, 80)) as connection:
        connection.sendall(bytes(size))
    client.network.run()


@pytest.fixture
def hosts() -> tuple[Host, Host]:
    net = Network(seed=1)
    client, server = net.host("client"), net.host("server")
    net.link(client, server, delay="10 ms")
    return client, server


def test_a_new_host_has_counted_nothing(hosts: tuple[Host, Host]) -> None:
    for host in hosts:
        counted = host.counters()
        assert len(counted) > 100
        assert not any(counted.values())


def test_a_transfer_is_counted_at_both_ends(hosts: tuple[Host, Host]) -> None:
    client, server = hosts
    transfer(client, server)
    ours, theirs = client.counters(), server.counters()
    assert (ours["TcpActiveOpens"], ours["TcpPassiveOpens"]) == (theirs["TcpPassiveOpens"], theirs["TcpActiveOpens"]) == (1, 0)
    assert (ours["TcpOutSegs"], ours["TcpInSegs"]) == (theirs["TcpInSegs"], theirs["TcpOutSegs"])
    assert ours["TcpExtTCPOrigDataSent"] == 70  # 69.06 segments of 1448 octets, and the FIN goes with the last
    assert ours["TcpExtTCPDelivered"] == 71  # with the SYN
    assert (theirs["TcpExtTCPOrigDataSent"], theirs["TcpExtTCPDelivered"]) == (1, 1)  # a FIN
    assert ours["TcpRetransSegs"] == ours["TcpExtTCPTimeouts"] == ours["TcpEstabResets"] == 0
    assert (ours["TcpExtTW"], theirs["TcpExtTW"]) == (1, 0)


def test_losses_are_counted_as_they_are_repaired(hosts: tuple[Host, Host]) -> None:
    client, server = hosts
    seen = client.network.links["client-server"].toward(server)
    count = iter(range(1000))
    seen.drop(lambda packet: len(packet) > 1000 and next(count) in (20, 22))
    transfer(client, server)
    ours, theirs = client.counters(), server.counters()
    assert ours["TcpRetransSegs"] == ours["TcpExtTCPFastRetrans"] == 2
    assert (ours["TcpExtTCPSackRecovery"], ours["TcpExtTCPTimeouts"]) == (1, 0)
    assert ours["TcpOutSegs"] == theirs["TcpInSegs"]  # the two that were lost are made up for by the two that are no new segments
    assert theirs["TcpExtTCPOFOQueue"] > 0


def test_a_difference_is_what_came_between(hosts: tuple[Host, Host]) -> None:
    client, server = hosts
    transfer(client, server)
    before = client.counters()
    assert before - before == dict.fromkeys(before, 0)
    with client, socket.socket() as nobody:
        assert nobody.connect_ex(("server", 81)) != 0
    since = client.counters() - before
    assert {name: value for name, value in since.items() if value} == {
        "TcpActiveOpens": 1, "TcpAttemptFails": 1, "TcpInSegs": 1, "TcpOutSegs": 1,
    }  # fmt: skip
    assert before["TcpActiveOpens"] == 1


def test_those_of_open_connections_count_as_well(hosts: tuple[Host, Host]) -> None:
    client, server = hosts
    listener = server.start(lambda: socket.create_server(("", 80)))
    client.network.run()
    with client, socket.create_connection(("server", 80)):
        open_ = client.counters()
        assert (open_["TcpCurrEstab"], open_["TcpOutSegs"], open_["TcpExtTCPDelivered"]) == (1, 2, 1)
    client.network.run()
    with client:
        listener.result().close()
    client.network.run()
    later = client.counters()
    assert (later["TcpCurrEstab"], (later - open_)["TcpCurrEstab"]) == (0, 0)
    assert later["TcpOutSegs"] >= 3


def test_printed_it_is_nstat(hosts: tuple[Host, Host]) -> None:
    client, server = hosts
    transfer(client, server)
    lines = str(client.counters()).splitlines()
    assert lines[:2] == ["#kernel", "TcpActiveOpens                  1                  0.0"]
    assert not any(" 0 " in line for line in lines)
    assert "TcpCurrEstab" not in client.counters().text(zeros=True)
    assert repr(client.counters()).startswith("<HostCounters {'TcpActiveOpens': 1, ")


def test_a_name_that_there_is_not_says_why() -> None:
    counters = HostCounters({"TcpInSegs": 1})
    with pytest.raises(KeyError, match="kernel's buffers"):
        counters["TcpExtTCPRcvCoalesce"]
    with pytest.raises(KeyError, match="TcpExtNothing"):
        counters["TcpExtNothing"]
    assert counters.get("TcpExtNothing") is None
    assert "TcpExtNothing" not in counters


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="not Linux")
def test_the_names_are_the_kernels() -> None:
    """Each that the kernel has is here, or left out for a reason; and none is here that it has not."""
    if tuple(map(int, os.uname().release.split(".")[:2])) != (6, 18):
        pytest.skip("the list is that of Linux 6.18")
    kernel = set()
    for file, group in (("snmp", "Tcp"), ("netstat", "TcpExt")):
        head = next(line for line in Path(f"/proc/net/{file}").read_text().splitlines() if line.startswith(f"{group}:"))
        kernel |= {f"{group}{name}" for name in head.split()[1:]}
    settings = {"TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn"}
    assert {*NAMES, "TcpCurrEstab", *(f"TcpExt{name}" for name in LEFT_OUT)} == kernel - settings
