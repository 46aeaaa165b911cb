"""RACK where much is sent at one instant: a repetition went out after the FIN that left before it at the same time (RFC 8985 section 6.2)."""

import socket
from collections import Counter

from stack import TCP, Drop, Network


def test_what_was_lost_is_sent_again_once() -> None:
    """Three duplicate ACKs arrive together: the second lets the FIN go, the third the repetitions. The FIN's SACK says nothing of them."""
    with Network(seed=1) as net:
        a, b = net.host("a"), net.host("b")
        link = net.link(a, b, delay="10 ms")
        a.ping(b, count=1)
        sent: Counter[int] = Counter()
        way = link.toward(b)

        def count(now: int, packet: object, direction: object) -> None:
            assert hasattr(packet, "after")
            if packet.after(TCP):
                sent[packet[TCP].sequence] += 1  # type: ignore[index]

        way.taps.append(count)
        way.faults([Drop(4), Drop(6)])

        @b.program
        def server() -> int:
            with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
                return sum(map(len, iter(lambda: connection.recv(65536), b"")))

        with a, socket.create_connection(("b", 80)) as connection:
            connection.sendall(bytes(14_480))
        net.run()
        assert server.result() == 14_480
        assert sorted(sent.values()) == [1] * 8 + [2] * 2
