"""Scripts with one number or flag of an expected packet changed: a runner that can fail rejects them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stack.base.randomness import Randomness, Stream
from stack.testing.drill.script import Direction, Packet, Script, Segment

_ACK, _SYN = 16, 2
_MASK = 0xFFFFFFFF


def mutants(script: Script, seed: int, count: int = 1) -> list[tuple[str, Script]]:
    """Up to `count` changed copies, each with what was changed; none if the script expects no segments."""
    stream = Randomness(seed).at("drill", script.name.rsplit("/", 1)[-1])
    places = [
        number for number, event in enumerate(script.events)
        if isinstance(event.action, Packet) and event.action.direction is Direction.OUTBOUND and isinstance(event.action.body, Segment)
    ]  # fmt: skip
    return [_mutant(script, places[stream.below(len(places))], stream) for _ in range(count if places else 0)]


def _mutant(script: Script, number: int, stream: Stream) -> tuple[str, Script]:
    event = script.events[number]
    packet = event.action
    assert isinstance(packet, Packet)
    assert isinstance(packet.body, Segment)
    choices = [change for change in CHANGES if change(packet.body, stream) is not None]
    change = choices[stream.below(len(choices))]
    body = change(packet.body, stream)
    assert body is not None
    changed = replace(event, action=replace(packet, body=body))
    events = (*script.events[:number], changed, *script.events[number + 1 :])
    return f"{packet.place}: {change.__name__}", replace(script, events=events)


def flag(segment: Segment, stream: Stream) -> Segment:
    """One of FIN, SYN, RST, PSH, ACK is another."""
    return replace(segment, flags=segment.flags ^ (1 << stream.below(5)))


def sequence(segment: Segment, stream: Stream) -> Segment | None:
    """The sequence number is another; a SYN's only names the numbers that follow."""
    if segment.flags & _SYN or segment.sequence is None:
        return None
    begin = segment.sequence + 1 + stream.below(1000) & _MASK
    return replace(segment, sequence=begin, end=begin + segment.length & _MASK)


def acknowledgment(segment: Segment, stream: Stream) -> Segment | None:
    """The acknowledgment is another."""
    if segment.ack is None or not segment.flags & _ACK:
        return None
    return replace(segment, ack=segment.ack + 1 + stream.below(1000) & _MASK)


def length(segment: Segment, stream: Stream) -> Segment:
    """There is more text, or less."""
    size = segment.length + 1 + stream.below(100) if not segment.length or stream.below(2) else segment.length - 1
    return replace(segment, length=size, end=(segment.sequence or 0) + size & _MASK)


CHANGES: tuple[Callable[[Segment, Stream], Segment | None], ...] = (flag, sequence, acknowledgment, length)
