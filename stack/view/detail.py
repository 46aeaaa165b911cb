"""A packet in full, as text: every layer and field beside its bits, then all octets."""

from __future__ import annotations

from collections.abc import Iterator

from stack.codec.packet import Packet
from stack.view.tree import Node, tree

BITS_COLUMN = 24


def text(packet: Packet, octets: bool = True) -> str:
    """Layers, fields and a hex dump of a packet."""
    data = bytes(packet)
    lines = [line for node in tree(packet) for line in layer(node, data)]
    if octets:
        lines += ["", *hexdump(data)]
    return "\n".join(lines)


def layer(node: Node, data: bytes) -> Iterator[str]:
    """One layer: its name and place, then its fields."""
    title = node.value if node.value.startswith(node.name) else f"{node.name}, {node.value}"
    yield f"{title} (octets {node.first}–{node.last})"
    for child in node.children:
        yield from lines(child, data, 1)


def lines(node: Node, data: bytes, depth: int) -> Iterator[str]:
    """One field: octet, bits or octets, name, value; below it, what it consists of."""
    indent = "  " * (depth - 1)
    shown = " ".join(node.value.split())
    if len(shown) > 72:
        shown = shown[:71] + "…"
    place = f"{node.first:>6}" if node.bits is not None else " " * 6
    yield f"{place}  {bits(node, data):<{BITS_COLUMN}}{indent}{node.name:<{max(22 - len(indent), 1)}} {shown}".rstrip()
    for child in node.children:
        yield from lines(child, data, depth + 1)


def bits(node: Node, data: bytes) -> str:
    """The field's octets in hexadecimal, or its bits within their octets: `0100 ....`."""
    if node.bits is None:
        return ""
    if node.start % 8 == 0 and node.bits % 8 == 0:
        octets = data[node.first : node.last + 1]
        return octets[:7].hex(" ") + (" …" if len(octets) > 7 else "")
    pattern = ""
    for place in range(8 * node.first, 8 * node.last + 8):
        inside = node.start <= place < node.start + node.bits
        pattern += str(data[place // 8] >> 7 - place % 8 & 1) if inside and place // 8 < len(data) else "."
        pattern += " " if place % 4 == 3 else ""
    return pattern.rstrip()


def hexdump(data: bytes) -> Iterator[str]:
    """Sixteen octets a line, as hexadecimal and as characters."""
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        halves = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
        yield f"{offset:04x}  {halves}  {characters(row)}"


def characters(octets: bytes) -> str:
    """Octets as characters, a dot for what cannot be printed."""
    return "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)
