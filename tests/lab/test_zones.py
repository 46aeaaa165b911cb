"""Link-local addresses as programs write them: fe80::1%eth1, or with a scope ID (RFC 4007 section 11, RFC 3493 section 3.3)."""

import errno
import socket

import pytest

from stack import Network


@pytest.mark.parametrize("by_name", [True, False])
def test_a_zone_or_a_scope_id_chooses_the_link(by_name: bool) -> None:
    net = Network(seed=1)
    middle, left, right = net.host("middle"), net.host("left"), net.host("right")
    net.link(middle, left)
    net.link(middle, right)
    heard: list[tuple[str, int]] = []

    @right.program
    def serve() -> None:
        with socket.create_server(("::", 80), family=socket.AF_INET6) as listener:
            connection, peer = listener.accept()
            heard.append((peer[0][:4], peer[3]))
            connection.close()

    net.run()
    text = next(str(own.address) for own in right.interfaces[0].addresses if str(own.address).startswith("fe80:"))
    with middle, socket.socket(socket.AF_INET6) as connection:
        index = socket.if_nametoindex("eth1")
        connection.connect((f"{text}%eth1", 80) if by_name else (text, 80, 0, index))
        assert connection.getpeername() == (text, 80, 0, index)
        assert connection.recv(1) == b""
    assert heard == [("fe80", 2)]
    with middle, socket.socket(socket.AF_INET6) as connection:
        with pytest.raises(OSError, check=lambda error: error.errno == errno.ENODEV):
            connection.connect((f"{text}%eth7", 80))
        with pytest.raises(OSError, check=lambda error: error.errno == errno.EADDRNOTAVAIL):
            connection.bind((text, 80, 0, index))
    net.close()
