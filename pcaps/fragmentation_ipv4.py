"""A router cuts IPv4 datagrams that do not fit the next link; the destination puts them together (RFC 791 section 3.2).

Both links are captured. On the first each datagram is whole or in large fragments, on the second in small ones.
"""

from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, router, server = net.host("client"), net.router("router"), net.host("server", mtu=620)
        net.link(client, router, name="wide", delay="5 ms")
        net.link(router, server, name="narrow", delay="5 ms")
        router.interfaces[1].mtu = 620
        with net.capture(path):
            client.ping(server, 1, size=1200)  # one packet on the wide link, three fragments on the narrow one
            client.ping(server, 1, size=3000)  # fragments on both: those of the client are cut again


if __name__ == "__main__":
    make(SAMPLE)
