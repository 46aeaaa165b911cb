"""A trace becomes a script that reads as what happened."""

import socket

from stack import Network
from stack.testing.drill.from_trace import to_script
from stack.testing.drill.parser import parse
from stack.testing.drill.script import Packet


def test_a_connection_reads_as_a_script() -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="20 ms")

        @server.program
        def answer() -> None:
            with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
                connection.sendall(connection.recv(1000)[::-1])

        with server.capture() as trace:
            with client, socket.create_connection(("server", 80)) as connection:
                connection.sendall(bytes(100))
                assert len(connection.recv(1000)) == 100
            net.run(until="1 s")
        text = to_script(trace, str(server.address))
    lines = [line for line in text.splitlines() if "udp" not in line]
    assert " < S 0:0(0) win" in lines[0]
    assert "> S. 0:0(0) ack 1" in lines[1]
    assert lines[2].startswith("+0.04")
    assert "< . 1:1(0) ack 1" in lines[2]
    assert any("< P. 1:101(100) ack 1" in line for line in lines)
    assert any("> P. 1:101(100) ack 101" in line for line in lines)
    script = parse(text)
    assert all(isinstance(event.action, Packet) for event in script.events)
    assert len(script.events) == len(text.splitlines())
