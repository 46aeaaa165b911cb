"""In IPv6 only the source cuts: a router says Packet Too Big, and what the host sends next is in fragments (RFC 8200 section 4.5).

The first echo request is lost to the message, which says how large packets may be on that way (RFC 8201).
"""

from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, router, server = net.host("client"), net.router("router"), net.host("server", mtu=1280)
        net.link(client, router, name="wide", delay="5 ms")
        net.link(router, server, name="narrow", delay="5 ms")
        router.interfaces[1].mtu = 1280
        with client.capture(path):
            client.ping(server, 3, size=1400, version=6)


if __name__ == "__main__":
    make(SAMPLE)
