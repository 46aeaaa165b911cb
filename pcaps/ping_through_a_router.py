"""An echo request on its way through a router: on each link ARP first, other MAC addresses, one less time to live.

Each link is an interface of the capture, so a packet that crosses both is here twice.
"""

from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, router, server = net.host("client"), net.router("router"), net.host("server")
        net.link(client, router, name="office", delay="1 ms")
        net.link(router, server, name="internet", delay="30 ms")
        with net.capture(path):
            client.ping(server, 3)


if __name__ == "__main__":
    make(SAMPLE)
