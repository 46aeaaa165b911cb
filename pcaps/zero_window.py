"""A reader that pauses: the window closes, probes ask whether it has opened, an update says so (RFC 9293 section 3.8.6)."""

import socket
import time
from pathlib import Path

from stack import Network, TcpSettings

# Room for six full segments, to the octet: without window scaling, a window is told to the octet too.
SMALL = TcpSettings(receive_buffer=6 * 1448, fixed_receive_buffer=True, window_scaling=False)
SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        writer, reader = net.host("writer"), net.host("reader", tcp=SMALL)
        net.link(writer, reader, rate="10 Mbit", delay="10 ms")

        @reader.program
        def read() -> None:
            with socket.create_server(("", 9)) as listener:
                connection, _ = listener.accept()
                with connection:
                    time.sleep(5)
                    while connection.recv(4096):
                        pass

        with writer.capture(path), writer:
            with socket.create_connection(("reader", 9)) as connection:
                connection.sendall(bytes(40_000))


if __name__ == "__main__":
    make(SAMPLE)
