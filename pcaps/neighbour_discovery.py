"""What ARP is to IPv4, neighbour discovery is to IPv6: a solicitation to a group, an advertisement, an echo (RFC 4861 section 7.2)."""

from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="2 ms")
        with client.capture(path):
            client.ping(server, 2, version=6)
            net.run(until="8 s")  # some seconds later each asks whether the other is still there (section 7.3)


if __name__ == "__main__":
    make(SAMPLE)
