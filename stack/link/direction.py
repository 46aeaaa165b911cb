"""One direction of a link: an engine that frames enter by `send` and leave, in time and order, through a sink.

A frame waits until those before it are sent, takes octets * 8 / rate to be sent, and arrives `delay` ± `jitter` later.
Arrivals keep the order of sending: a frame never overtakes another unless a fault says so. Where no fault is set and the
queue is drop-tail, arrival is computed when the frame enters (`_send_plain`); otherwise frames wait in the discipline.
Both ways give the same times; a change of settings at an instant finds every frame that is not yet being sent in the queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from stack.base.event import Drop, DropReason, Event
from stack.base.quantity import bits_per_second, show_rate, show_time
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from stack.link.chance import Chances, noted
from stack.link.drop_tail import DEFAULT_FRAMES, DropTail
from stack.link.faults import Fault, Outage, Removable, Rule, Script
from stack.link.frame import Frame
from stack.link.late import Late
from stack.link.queue_setting import make_queue, queue_limit
from stack.link.queueing import QueueDiscipline
from stack.link.setting import Setting, optional, time_setting, whole

ETHERNET_HEADER = 14
VLAN_TAG = 4
_NANOBITS = 8_000_000_000  # nanoseconds to send an octet at one bit a second
_NO_LIMIT = 1 << 62


class Direction(Chances):
    """`sink(packet, now)` gets what arrives; `poke(self)` is called when `deadline` has moved earlier.

    `taps` are called `(time, packet, direction)` for each frame that enters, dropped ones too; `on_fault`
    `(time, packet, what)` for each fault, before the taps where it befalls the frame on entering. `tell` gets `Drop`s
    and `Event`s. `clock()` gives the instant at which a person changes a setting; frames bring their own.
    """

    __slots__ = (
        "_arrivals", "_clock", "_delay", "_departures", "_frames_limit", "_free", "_last", "_late", "_longest",
        "_mtu", "_plain", "_poke", "_queue", "_rate", "_remainder", "_rules", "_scripts", "_sink",
        "deadline", "discipline", "is_up", "send", "timeout",
    )  # fmt: skip

    rate: Setting[int | None] = Setting(optional(bits_per_second), 'Bits a second: "10 Mbit"; None: frames take no time to send.')
    delay = time_setting('How long a frame travels: "20 ms", or seconds.')
    mtu: Setting[int | None] = Setting(optional(whole("mtu", 1)), "Longer frames are dropped in silence; octets after the Ethernet header.")
    queue: Setting[Any] = Setting(queue_limit, 'Frames that may wait (100), or octets ("64 KB"), None, or a queue discipline.')

    send: Callable[[Packet, int], None]
    timeout: Callable[[int], None]  # deliver all that is due

    def __init__(
        self,
        link: str,
        name: str,
        randomness: Randomness,
        sink: Callable[[Packet, int], None],
        poke: Callable[[Direction], None],
        clock: Callable[[], int],
        tell: Callable[[Drop | Event], None] | None = None,
    ) -> None:
        super().__init__(link, name, tell, randomness)
        self._sink = sink
        self._poke = poke
        self._clock = clock
        self.deadline: int | None = None
        self.is_up = True
        self._rate: int | None = None
        self._delay = 0
        self._mtu: int | None = None
        self._queue: Any = DEFAULT_FRAMES
        self._arrivals: deque[tuple[int, Packet, int]] = deque()  # what is under way, in order of arrival
        self._late = Late()  # what has left its place in that order
        self._last = 0  # the latest arrival so far
        self._free = 0  # when the transmitter is free
        self._remainder = 0  # of the division by the rate, so that a long run does not drift
        self._departures: deque[int] = deque()  # plain: when the frames that are being sent or wait are sent
        self._plain = False
        self._scripts: list[Script] = []
        self._rules: list[Rule] = []
        self.discipline: QueueDiscipline = DropTail()
        self._set_queue(DropTail(), 0)
        self._specialise(0)

    # --- frames enter

    def _send_plain(self, packet: Packet, now: int) -> None:
        size = packet._size or len(packet)
        self.entered += 1
        self.octets_entered += size
        if size > self._longest and self._too_long(packet, size):
            self._end(packet, now, DropReason.TOO_BIG)
        else:
            rate = self._rate
            if rate is None:
                arrival = now + self._delay
            else:
                departures = self._departures
                while departures and departures[0] <= now:
                    departures.popleft()
                free = self._free
                if not departures:
                    if free < now:
                        free = now
                        self._remainder = 0
                elif len(departures) > self._frames_limit:
                    self._end(packet, now, DropReason.QUEUE_FULL)
                    self._tap(packet, now)
                    return
                time, self._remainder = divmod(size * _NANOBITS + self._remainder, rate)
                self._free = free = free + time
                departures.append(free)
                arrival = free + self._delay
            if arrival < self._last:
                arrival = self._last
            self._last = arrival
            self._arrivals.append((arrival, packet, size))
            if self.deadline is None or arrival < self.deadline:
                self.deadline = arrival
                self._poke(self)
        if self.taps:
            self._tap(packet, now)

    def _send_general(self, packet: Packet, now: int) -> None:
        frame = Frame(packet, len(packet))
        self.entered += 1
        self.octets_entered += frame.octets
        self._draw(frame)
        for script in tuple(self._scripts):
            script.enter(frame)
        for rule in tuple(self._rules):
            rule.enter(frame)
        if self._too_long(packet, frame.octets):
            frame.reason = DropReason.TOO_BIG
        if not self.is_up:
            frame.reason = DropReason.LINK_DOWN
        if frame.reason is not None:
            self._end(packet, now, frame.reason)
        else:
            self._spoil(frame)
            self._mark(frame, packet, now)
            self._admit(frame, now)
            for _ in range(frame.copies):
                twin = Frame(noted(packet, f"duplicated on link {self.link}"), frame.octets)
                twin.jitter = frame.jitter
                self._admit(twin, now)
            self._after()
        self._tap(packet, now)

    def _admit(self, frame: Frame, now: int) -> None:
        """Queue a frame, or send it at once if the transmitter waits for one."""
        self._advance(now)
        if self._free > now:
            self.discipline.enqueue(frame, now)
            return
        if self._free < now:
            self._free = now
            self._remainder = 0
        self._transmit(frame)

    # --- frames are sent, and arrive

    def _advance(self, now: int) -> None:
        """Send what is queued, each frame when the one before it is sent, as far as `now`."""
        while self._free <= now and len(self.discipline):
            frame = self.discipline.dequeue(self._free)
            if frame is not None:
                self._transmit(frame)

    def _transmit(self, frame: Frame) -> None:
        """The frame goes onto the wire when the transmitter becomes free."""
        start = self._free
        if self._rate is not None:
            time, self._remainder = divmod(frame.octets * _NANOBITS + self._remainder, self._rate)
            self._free += time
        if frame.broken:
            self._end(frame.packet, start, DropReason.CORRUPT_FRAME)
            return
        arrival = max(self._free + self._delay + frame.jitter, self._free)
        if frame.delay or frame.gap:
            wait = frame.delay + (self._reordering_wait if frame.gap else 0)
            passing = len(self._arrivals) + frame.gap if frame.gap else None
            self._late.add(arrival + wait, passing, frame.packet)
        else:
            self._last = max(arrival, self._last)
            self._arrivals.append((self._last, frame.packet, frame.octets))

    def _timeout_plain(self, now: int) -> None:
        """Deliver all that is due. Whoever is delivered to may set a fault: then the rest goes the general way."""
        arrivals, sink = self._arrivals, self._sink
        try:
            while arrivals and arrivals[0][0] <= now and self._plain:
                _, packet, size = arrivals.popleft()
                self.delivered += 1
                self.octets_delivered += size
                sink(packet, now)
        finally:
            if self._plain:
                self.deadline = arrivals[0][0] if arrivals else None
            else:
                self._set_deadline()
        if not self._plain:
            self._timeout_general(now)

    def _timeout_general(self, now: int) -> None:
        """Send what may be sent, deliver all that is due."""
        self._advance(now)
        arrivals, late = self._arrivals, self._late
        try:
            while arrivals and arrivals[0][0] <= now:
                _, packet, size = arrivals.popleft()
                self.delivered += 1
                self.octets_delivered += size
                self._sink(packet, now)
                if late:
                    self._deliver_late(late.passed(), now)
            if late:
                self._deliver_late(late.due(now), now)
        finally:
            if not self._plain and self._may_be_plain():
                self._specialise(now)
            self._set_deadline()

    def _deliver_late(self, packets: list[Packet], now: int) -> None:
        for packet in packets:
            self.delivered += 1
            self.octets_delivered += len(packet)
            self._sink(packet, now)

    def _set_deadline(self) -> None:
        """The earliest of: an arrival, a late arrival, the transmitter free for the next in the queue."""
        deadline = self._arrivals[0][0] if self._arrivals else None
        late = self._late.next
        if late is not None and (deadline is None or late < deadline):
            deadline = late
        if not self._plain and len(self.discipline) and (deadline is None or self._free < deadline):
            deadline = self._free
        self.deadline = deadline

    def _after(self) -> None:
        """Something has changed outside of `timeout`: say so if it is wanted earlier than before."""
        before = self.deadline
        self._set_deadline()
        if self.deadline is not None and (before is None or self.deadline < before):
            self._poke(self)

    def _end_queued(self, frame: Frame, now: int, reason: DropReason) -> None:
        self._end(frame.packet, now, reason)

    @property
    def waiting(self) -> int:
        """Frames that wait now; the one that is being sent is not among them."""
        if not self._plain:
            return len(self.discipline)
        now = self._clock()
        return max(0, sum(departure > now for departure in self._departures) - 1)

    def __repr__(self) -> str:
        rate = "unlimited" if self._rate is None else show_rate(self._rate)
        return f"<Direction {self.name} {rate}, {show_time(self._delay)}{'' if self.is_up else ', down'}>"

    # --- faults and settings, while it works

    def drop(self, predicate: Callable[[Packet], Any], times: int | None = None) -> Rule:
        """Drop the frames for which the predicate is true: all, or the first `times`. `remove()` ends it, or `with`."""
        return self.enforce(Rule(predicate, times))

    def faults(self, faults: Iterable[Fault]) -> Script:
        """Faults by the number of the frame, counted from now on, from 1."""
        return self.follow(Script(faults))

    def enforce(self, rule: Rule) -> Rule:
        """Put a rule in force."""
        self._open_up()
        self._rules.append(rule)
        rule.directions.append(self)
        return rule

    def follow(self, script: Script) -> Script:
        """Follow a script."""
        self._open_up()
        self._scripts.append(script)
        script.directions.append(self)
        return script

    def withdraw(self, fault: Removable) -> None:
        """Take a script or a rule off: they call this when they are removed."""
        if isinstance(fault, Rule):
            self._rules.remove(fault)
        elif isinstance(fault, Script):
            self._scripts.remove(fault)

    def down(self) -> Outage:
        """Cut it: what is queued and under way is lost, and so is what enters. `up()` or the end of `with` mends it."""
        now = self._clock()
        self._open_up()
        self.is_up = False
        lost = [packet for _, packet, _ in self._arrivals] + self._late.clear()
        self._arrivals.clear()
        while (frame := self.discipline.dequeue(now)) is not None:
            lost.append(frame.packet)
        for packet in lost:
            self._end(packet, now, DropReason.LINK_DOWN)
        self._free = min(self._free, now)
        self.deadline = None
        return Outage(self.up)

    def up(self) -> None:
        """Mend it."""
        self.is_up = True

    def change(self, slot: str, value: Any) -> None:
        """A setting gets a new value: frames that are not yet being sent wait under it, later ones are sent by it."""
        now = self._clock()
        queue = make_queue(value) if slot == "_queue" else None
        self._open_up()
        setattr(self, slot, value)
        if queue is not None:
            self._set_queue(queue, now)
        self._advance(now)
        self._specialise(now)
        self._after()

    def _set_queue(self, queue: QueueDiscipline, now: int) -> None:
        """Another discipline takes over, with the frames that wait."""
        if queue.taken:
            raise ValueError(f"{queue!r} serves a direction already; give its class, so that each has its own")
        queue.taken = True
        queue.drop = self._end_queued
        queue.stream = self._stream("queue")
        while len(self.discipline):
            frame = self.discipline.dequeue(now)
            if frame is not None:
                queue.enqueue(frame, now)
        self.discipline = queue

    def _open_up(self) -> None:
        """From the plain way to the general one: put back into the queue what is not being sent yet."""
        if not self._plain:
            return
        now = self._clock()
        self._plain = False
        self.send, self.timeout = self._send_general, self._timeout_general
        departures, arrivals = self._departures, self._arrivals
        while departures and departures[0] <= now:
            departures.popleft()
        if len(departures) > 1:
            waiting = [arrivals.pop() for _ in range(len(departures) - 1)]
            self._last = arrivals[-1][0]
            self._free = departures[0]
            self._remainder = 0
            for _, packet, size in reversed(waiting):
                self.discipline.enqueue(Frame(packet, size), now)
        departures.clear()

    def _may_be_plain(self) -> bool:
        """No fault is set, the queue is drop-tail by frames and empty, and no frame is late."""
        queue = self.discipline
        return not (
            self._chances or self._jitter or self._scripts or self._rules or not self.is_up or len(queue)
            or type(queue) is not DropTail or queue.octets is not None or self._late
        )  # fmt: skip

    def _specialise(self, now: int) -> None:
        """Choose the way that frames go from here on."""
        self._choose_chances()
        self._longest = _NO_LIMIT if self._mtu is None else self._mtu + ETHERNET_HEADER
        self._plain = self._may_be_plain()
        self.send, self.timeout = (
            (self._send_plain, self._timeout_plain) if self._plain else (self._send_general, self._timeout_general)
        )
        self._departures.clear()
        if self._plain:
            assert isinstance(self.discipline, DropTail)
            self._frames_limit = _NO_LIMIT if self.discipline.frames is None else self.discipline.frames
            if self._free > now:
                self._departures.append(self._free)

    def _too_long(self, packet: Packet, size: int) -> bool:
        """A VLAN tag (IEEE 802.1Q) does not count against the MTU."""
        if size <= self._longest:
            return False
        return size > self._longest + VLAN_TAG or bytes(packet)[12:14] not in (b"\x81\x00", b"\x88\xa8")
