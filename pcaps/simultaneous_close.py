"""Both sides close at the same instant: the FINs cross, both go through CLOSING to TIME-WAIT (RFC 9293 section 3.6, figure 13)."""

import socket
import time
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        left, right = net.host("left"), net.host("right")
        link = net.link(left, right, delay="50 ms")

        @right.program
        def listen() -> None:
            with socket.create_server(("", 7000)) as listener:
                connection, _ = listener.accept()
                time.sleep(1 - time.monotonic() % 1)  # until the clock shows a full second, here and there
                connection.close()

        with link.capture(path), left:
            connection = socket.create_connection(("right", 7000))
            time.sleep(1 - time.monotonic() % 1)
            connection.close()


if __name__ == "__main__":
    make(SAMPLE)
