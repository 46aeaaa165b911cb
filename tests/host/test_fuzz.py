"""Bytes from a wire never raise out of a host: random and mutated frames, each consumed or counted with its reason."""

from __future__ import annotations

import random

import pytest

from stack.base.address import IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.codec.fields import Sealed
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from tests.host.wire import World, pair

FRAMES = 50_000


def conversation() -> tuple[World, HostEngine, HostEngine, list[bytes]]:
    """Hosts in the middle of many things, and the frames that host b has got so far."""
    world, a, b = pair(forwarding=True)
    group = IPv4Address("239.1.2.3"), IPv6Address("ff02::1234")
    server = b.udp.open(6)
    server.bind(None, 7)
    for each in group:
        server.join(each)
    listener = b.tcp.listen(None, 80)
    for address in (IPv4Address("10.0.0.2"), IPv6Address("2001:db8::2")):
        connection = a.tcp.connect(None, (address, 80), now=world.now)
        shown = address if isinstance(address, IPv6Address) else IPv6Address("::ffff:10.0.0.2")
        endpoint = a.udp.open(6)
        for size in (10, 4000):
            endpoint.send(bytes(size), world.now, (shown, 7))
        (a.icmp.open(address)).send(address, 1, world.now, bytes(64))
        endpoint.send(b"nobody", world.now, (shown, 9))
        world.run()
        connection.send(bytes(5000), world.now)
        world.run()
        accepted = listener.accept()
        assert accepted is not None
        accepted.send(b"answer", world.now)
        world.run()
    for each in group:
        endpoint = a.udp.open(6 if isinstance(each, IPv6Address) else 4)
        endpoint.send(b"to all", world.now, (each, 7))
        endpoint.join(each)
    world.run()
    return world, a, b, [bytes(packet) for _, sender, packet in world.log if sender == "a"]


def mutated(source: random.Random, frame: bytes) -> bytes:
    """The frame with something wrong in it; every second time its checksums are made to agree, so that it gets further."""
    data = damaged(source, frame)
    return resealed(data) if source.getrandbits(1) else data


def resealed(data: bytes) -> bytes:
    """The same headers and payload with right checksums."""
    packet = Packet.parse(data)
    headers = [one.replace(checksum=Sealed) if "checksum" in one.fields else one for one in packet.headers]
    try:
        return bytes(Packet(*headers, payload=packet.payload, trailer=packet.trailer))
    except WireError:
        return data


def damaged(source: random.Random, frame: bytes) -> bytes:
    """Bits flipped, octets changed, cut off, added or put in."""
    octets = bytearray(frame)
    kind = source.getrandbits(3)
    if kind < 5:
        for _ in range(1 + source.getrandbits(2)):
            place = int(source.random() * len(octets)) if kind < 2 else min(14 + source.getrandbits(6), len(octets) - 1)
            octets[place] = source.getrandbits(8) if kind & 1 else octets[place] ^ 1 << source.getrandbits(3)
    elif kind == 5:
        del octets[int(source.random() * len(octets)) :]
    elif kind == 6:
        octets += source.getrandbits(64).to_bytes(8, "big")
    else:
        place = int(source.random() * len(octets))
        octets[place:place] = source.getrandbits(32).to_bytes(4, "big")
    return bytes(octets)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_hundred_thousand_bad_frames(seed: int) -> None:
    world, _, b, frames = conversation()
    source = random.Random(seed)
    handed = 0
    for number in range(FRAMES):
        if source.getrandbits(4):
            data = mutated(source, frames[int(source.random() * len(frames))])
        else:
            head = bytes(b.interfaces[1].mac) + bytes(6) + (b"\x08\0", b"\x86\xdd", b"\x08\x06", b"\x12\x34")[number & 3]
            size = source.getrandbits(7)
            data = head + source.getrandbits(8 * size + 8).to_bytes(size + 1, "big")
        world.now += 100_000
        b.receive((b.interfaces[1], Packet.parse(data)), world.now)
        handed += 1
        if b.deadline is not None and b.deadline <= world.now:
            b.timeout(world.now)
        b.take_output()
        b.take_events()
    assert handed == FRAMES
    assert sum(b.drops.values()) > FRAMES // 2
    assert len(b.attachments[b.interfaces[1]].neighbours4) <= 1024
    assert b.ipv4.fragments.memory + b.ipv6.fragments.memory < 1 << 23


def test_each_frame_is_consumed_or_counted() -> None:
    """What changes nothing and answers nothing was dropped: the counters grow by one for each frame that nobody wanted."""
    world, _, b, _ = conversation()
    source = random.Random(3)
    unwanted = 0
    for _ in range(2000):
        size = source.getrandbits(7)
        data = bytes(b.interfaces[1].mac) + bytes(6) + b"\x08\0" + source.getrandbits(8 * size + 8).to_bytes(size + 1, "big")
        before = sum(b.drops.values())
        b.receive((b.interfaces[1], Packet.parse(data)), world.now)
        unwanted += 1
        assert sum(b.drops.values()) == before + 1
    assert unwanted == 2000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_objects_and_bytes_are_dropped_alike(seed: int) -> None:
    """The same frames as headers and as octets leave two hosts with the same counters and the same answers."""
    source = random.Random(seed)
    results = []
    for as_bytes in (False, True):
        source.seed(seed)
        world, _, b, frames = conversation()
        b.take_events()
        answers: list[bytes] = []
        for frame in [Packet.parse(mutated(source, frames[int(source.random() * len(frames))])) for _ in range(500)]:
            packet = Packet.parse(bytes(frame)) if as_bytes else Packet(*frame.headers, payload=frame.payload, trailer=frame.trailer)
            b.receive((b.interfaces[1], packet), world.now)
            answers += [bytes(packet) for _, packet in b.take_output()]
        results.append((b.drops, answers))
    assert results[0] == results[1]
