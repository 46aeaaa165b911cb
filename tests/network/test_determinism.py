"""The same seed is the same story: under every hash seed, as objects or bytes, to the nanosecond and the octet."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from stack.base.address import MAC
from stack.codec.packet import Packet
from stack.link.formats.ethernet import Ethernet
from tests.network.build import Net

ROOT = Path(__file__).resolve().parents[2]


def story(seed: int, wire: str) -> str:
    """Stations on two switches that are joined twice, with every fault, an outage, a partition; a digest of all that happens."""
    net = Net(seed, wire)
    left, right = net.switch("left"), net.switch("right")
    stations = net.stations("a b c d")
    for one, switch in zip(stations, (left, left, right, right), strict=True):
        net.link(one, switch, rate="1 Mbit", delay="2 ms", queue=20, jitter="1 ms", loss="3%", duplication="3%")
    first = net.link(left, right, rate="2 Mbit", delay="5 ms", corruption="5%", reordering="5%")
    net.link(left, right, rate="2 Mbit", delay="5 ms")
    router, far = net.router("r"), net.station("far")
    net.link(stations[0], router)
    net.link(router, far)
    net.topology.update()
    digest = hashlib.sha256()
    for direction in (way for link in net.wiring.links.values() for way in link.directions):
        direction.taps.append(lambda time, packet, way: digest.update(f"{time} {way.name} ".encode() + bytes(packet)))
        direction.on_fault.append(lambda time, packet, what: digest.update(f"{time} {what}".encode()))
    for node in net.wiring.nodes.values():
        digest.update(f"{[str(own) for end in node.engine.interfaces for own in end.addresses]}".encode())
        digest.update(f"{[str(route) for route in getattr(node.engine, 'routes', [])]}".encode())
    for n in range(300):
        sender, receiver = stations[n % 4], stations[(n * 7 + 1) % 4]
        to = MAC.BROADCAST if n % 10 == 0 else receiver.interfaces[0].mac
        net.send(sender, Packet(Ethernet(to, sender.interfaces[0].mac, 0x88B5), payload=bytes(46 + n)))
        net.run(until=n * 1_000_000)
        if n == 100:
            outage = first.down()
        if n == 150:
            outage.remove()
            cut = net.wiring.partition(["a", "b"], ["c"])
        if n == 200:
            cut.remove()
    net.run()
    for station in stations:
        for time, interface, packet in station.got:
            digest.update(f"{time} {interface.name} {packet.cause} ".encode() + bytes(packet))
    return digest.hexdigest()


def test_objects_and_bytes_and_every_hash_seed_tell_the_same() -> None:
    here = story(1, "objects")
    assert story(1, "bytes") == here
    assert story(2, "objects") != here
    for hash_seed in ("0", "4711"):
        there = subprocess.run(
            [sys.executable, "-c", "from tests.network.test_determinism import story; print(story(1, 'objects'))"],
            cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert there.stdout.strip() == here
