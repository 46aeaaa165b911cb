"""One segment is lost and one is late: the receiver says which octets it has, and what came twice (RFC 2018, 2883, 8985).

Captured where frames enter the link, so the lost one is here too. Faults count the frames as this capture does.
"""

import socket
from pathlib import Path

from stack import Delay, Drop, Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        writer, reader = net.host("writer"), net.host("reader")
        link = net.link(writer, reader, rate="10 Mbit", delay="20 ms")
        link.faults([Drop(8), Delay(12, "3 ms")])

        @reader.program
        def read() -> None:
            with socket.create_server(("", 9)) as listener:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(4096):
                        pass

        with link.capture(path), writer:
            with socket.create_connection(("reader", 9)) as connection:
                connection.sendall(bytes(20_000))


if __name__ == "__main__":
    make(SAMPLE)
