"""Faults by chance: loss, duplication, reordering, corruption and jitter of one direction, in the manner of netem.

Each kind draws from its own stream, once for each frame that enters, whatever becomes of it; a kind whose probability is
zero draws nothing. So switching one on leaves the others' draws where they were.
"""

from __future__ import annotations

from collections.abc import Callable

from stack.base.event import Drop, DropReason, Event
from stack.base.quantity import fraction, nanoseconds, show_time
from stack.base.randomness import Randomness, Stream
from stack.codec.packet import Packet
from stack.link.account import Account
from stack.link.frame import Frame
from stack.link.setting import Setting, time_setting, whole


class Chances(Account):
    """The settings, and what they do to a frame."""

    __slots__ = (
        "_chances", "_corruption", "_duplication", "_fcs", "_jitter", "_jitter_draws", "_loss", "_randomness",
        "_reordering", "_reordering_gap", "_reordering_wait",
    )  # fmt: skip

    loss: Setting[float] = Setting(fraction, 'The share of frames that are lost: "1%" or 0.01.')
    duplication: Setting[float] = Setting(fraction, "The share of frames that are followed by a copy.")
    corruption: Setting[float] = Setting(fraction, "The share of frames of which one bit is flipped.")
    reordering: Setting[float] = Setting(fraction, "The share of frames that let `reordering_gap` later ones overtake them.")
    reordering_gap: Setting[int] = Setting(whole("reordering_gap", 1), "How many frames overtake a reordered one.")
    reordering_wait = time_setting("How long a reordered frame waits for them at most.")
    jitter = time_setting("The delay varies by up to this, up or down, evenly; frames keep their order.")
    fcs: Setting[bool] = Setting(bool, "True: a corrupted frame fails the Ethernet frame check and is dropped, as by hardware.")

    def __init__(
        self, link: str, name: str, tell: Callable[[Drop | Event], None] | None, randomness: Randomness
    ) -> None:
        super().__init__(link, name, tell)
        self._randomness = randomness
        self._loss = self._duplication = self._corruption = self._reordering = 0.0
        self._reordering_gap = 3  # what makes a fast retransmit: RFC 5681's three duplicate acknowledgments
        self._reordering_wait = nanoseconds("10 ms")
        self._jitter = 0
        self._jitter_draws: Stream | None = None
        self._fcs = False
        self._chances: list[tuple[float, Callable[[], float], Callable[[Frame], None]]] = []

    def _stream(self, kind: str) -> Stream:
        return self._randomness.at(f"link {self.link}", self.name, kind)

    def _choose_chances(self) -> None:
        """After a change: which kinds are to be drawn for."""
        kinds: tuple[tuple[str, float, Callable[[Frame], None]], ...] = (
            ("loss", self._loss, self._lose),
            ("duplication", self._duplication, self._duplicate),
            ("corruption", self._corruption, self._corrupt),
            ("reordering", self._reordering, self._reorder),
        )
        self._chances = [(chance, self._stream(kind).random, hit) for kind, chance, hit in kinds if chance]
        self._jitter_draws = self._stream("jitter") if self._jitter else None

    def _draw(self, frame: Frame) -> None:
        if self._jitter_draws is not None:
            frame.jitter = self._jitter_draws.below(2 * self._jitter + 1) - self._jitter
        for chance, random, hit in self._chances:
            if random() < chance:
                hit(frame)

    def _lose(self, frame: Frame) -> None:
        frame.reason = DropReason.LOSS

    def _duplicate(self, frame: Frame) -> None:
        frame.copies += 1

    def _corrupt(self, frame: Frame) -> None:
        if frame.octets:
            frame.flips.append(self._stream("corrupted bit").below(8 * frame.octets))

    def _reorder(self, frame: Frame) -> None:
        frame.gap = self._reordering_gap

    def _spoil(self, frame: Frame) -> None:
        """Flip the bits, and note what befell the frame: in its packet's cause too, for whoever meets it behind the link."""
        packet, notes = frame.packet, frame.notes
        if frame.flips and frame.octets:
            data = bytearray(bytes(packet))
            for bit in frame.flips:
                place = self._stream("scripted bit").below(8 * len(data)) if bit is None else bit % (8 * len(data))
                data[place >> 3] ^= 0x80 >> (place & 7)
                notes.append(("corrupted", f"bit {place} flipped"))
            packet = Packet.parse(bytes(data), packet.linktype, cause=packet.cause)
            frame.broken = self._fcs
        if frame.delay:
            notes.append(("delayed", f"delayed by {show_time(frame.delay)}"))
        if frame.gap:
            notes.append(("reordered", f"reordered: to be overtaken by {frame.gap}"))
        if notes:
            frame.packet = noted(packet, f"{', '.join(text for _, text in notes)} on link {self.link}")
        if frame.copies:
            notes.append(("duplicated", "duplicated" if frame.copies == 1 else f"duplicated {frame.copies} times"))


def noted(packet: Packet, note: str) -> Packet:
    """The same frame, with a note in its cause."""
    cause = f"{packet.cause}; {note}" if packet.cause else note
    return Packet.parse(bytes(packet), packet.linktype, cause=cause)
