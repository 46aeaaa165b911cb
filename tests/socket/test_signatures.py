"""Signed connections, by the socket options that Linux has for them (RFC 2385, RFC 5925)."""

import errno
import socket
import struct

import pytest

from stack import TCP, Host, Network
from tests.ledger import rfc

MD5SIG, MD5SIG_EXT, AO_ADD, AO_DELETE, AO_INFO = 14, 32, 38, 39, 40
LEVEL = socket.IPPROTO_TCP


def storage(address: str) -> bytes:
    return (struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton(address)).ljust(128, b"\0")


def md5(address: str, secret: bytes, prefix: int | None = None) -> bytes:
    return struct.pack("=128sBBHi80s", storage(address), prefix is not None, prefix or 0, len(secret), 0, secret)


def ao(address: str, send: int, receive: int, secret: bytes, wanted: int = 0, algorithm: bytes = b"hmac(sha1)") -> bytes:
    return struct.pack("=128s64siIHBBBBBB80s", storage(address), algorithm, 0, wanted, 0, 0, send, receive, 12, 0, len(secret), secret)


def hosts() -> tuple[Network, Host, Host]:
    net = Network(seed=1)
    client, server = net.host("client"), net.host("server")
    net.link(client, server, delay="5 ms")
    return net, client, server


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


@rfc("2385", "2.0")
def test_a_listener_takes_those_who_know_its_key() -> None:
    net, client, server = hosts()
    with net:
        with server:
            listener = socket.create_server(("", 179))
            listener.setsockopt(LEVEL, MD5SIG_EXT, md5("0.0.0.0", b"secret", 0))
        with client, socket.socket() as stranger:
            stranger.settimeout(3)
            with pytest.raises(TimeoutError):
                stranger.connect(("server", 179))
        with client.capture() as trace, client, socket.socket() as friend:
            friend.setsockopt(LEVEL, MD5SIG, md5(str(server.address), b"secret"))
            friend.connect(("server", 179))
            friend.sendall(b"open")
            with server:
                accepted, _ = listener.accept()
                assert accepted.recv(10) == b"open"
                accepted.close()
        kinds = [{option.kind for option in record.packet[TCP].options if hasattr(option, "kind")} for record in trace if TCP in record.packet]
        assert all(19 in found for found in kinds)
        listener.close()


def test_what_linux_refuses_of_a_key() -> None:
    net, client, _ = hosts()
    with net, client, socket.socket() as s:
        with refused(errno.EINVAL):
            s.setsockopt(LEVEL, MD5SIG, b"short")
        with refused(errno.ENOENT):
            s.setsockopt(LEVEL, MD5SIG, md5("10.0.0.9", b""))
        s.setsockopt(LEVEL, MD5SIG, md5("10.0.0.9", b"secret"))
        with refused(129):  # EKEYREJECTED
            s.setsockopt(LEVEL, AO_ADD, ao("10.0.0.9", 1, 1, b"secret"))
        s.setsockopt(LEVEL, MD5SIG, md5("10.0.0.9", b""))
        with refused(errno.ENOENT):
            s.setsockopt(LEVEL, AO_ADD, ao("0.0.0.0", 1, 1, b"secret", algorithm=b"rot13"))
        s.setsockopt(LEVEL, AO_ADD, ao("0.0.0.0", 1, 1, b"secret"))
        with refused(errno.EEXIST):
            s.setsockopt(LEVEL, AO_ADD, ao("0.0.0.0", 1, 2, b"secret"))
        with refused(errno.ENOENT):
            s.getsockopt(LEVEL, AO_INFO, 48)


@rfc("5925", "6.1")
def test_keys_are_changed_while_the_connection_stands() -> None:
    net, client, server = hosts()
    with net:
        with server:
            listener = socket.create_server(("", 179))
            for send, receive, secret in ((10, 1, b"old"), (20, 2, b"new")):
                listener.setsockopt(LEVEL, AO_ADD, ao("0.0.0.0", send, receive, secret))
        with client, socket.socket() as s:
            for send, receive, secret in ((1, 10, b"old"), (2, 20, b"new")):
                s.setsockopt(LEVEL, AO_ADD, ao("0.0.0.0", send, receive, secret))
            s.connect(("server", 179))
            with server:
                accepted, _ = listener.accept()
            s.setsockopt(LEVEL, AO_INFO, struct.pack("=IHBB40s", 2, 0, 0, 20, b""))
            s.sendall(b"roll")
            with server:
                assert accepted.recv(10) == b"roll"
                assert struct.unpack_from("=IHBB", accepted.getsockopt(LEVEL, AO_INFO, 48))[2] == 20
                accepted.setsockopt(LEVEL, AO_DELETE, struct.pack("=128siIHBBBBBB", storage("0.0.0.0"), 0, 3, 0, 0, 10, 1, 20, 2, 0))
                accepted.sendall(b"over")
            assert s.recv(10) == b"over"
            with server:
                accepted.close()
                listener.close()


@rfc("2385", "2.0")
def test_a_listener_does_not_even_refuse_what_is_not_signed() -> None:
    with Network(seed=1) as net:
        server = net.host("server")
        drill = net.drill(server)
        with server, socket.create_server(("", 8080)) as listener:
            drill.inject(". 1:1(0) ack 1 win 1000")
            drill.expect("R 1:1(0)")
            listener.setsockopt(LEVEL, MD5SIG, md5("192.0.2.1", b"secret"))
            drill.inject(". 1:1(0) ack 1 win 1000", flow=1)
            drill.inject("S 0:0(0) win 1000 <mss 1000>", flow=1)
            drill.expect_nothing("2 s")
            assert server.engine.tcp.counters.TCPMD5NotFound == 2
