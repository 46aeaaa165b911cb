"""Plays a script against a host: each event at its time, what the host sends compared (google/packetdrill's run.c)."""

from __future__ import annotations

from stack.network.waiting import Source
from stack.testing.drill.code import run_code
from stack.testing.drill.host import HostUnderTest
from stack.testing.drill.information import Information
from stack.testing.drill.mismatch import Mismatch, seconds
from stack.testing.drill.pending import Pending
from stack.testing.drill.printer import show_action, show_event
from stack.testing.drill.profile import Profile
from stack.testing.drill.script import Code, Command, Direction, Event, Packet, Script, Syscall, TimeKind
from stack.testing.drill.wire import Wire


class Player:
    """One script, one host, one run. `play()` raises `Mismatch` where the host does something else, `ScriptError` for what cannot be done."""

    def __init__(self, host: HostUnderTest, script: Script, profile: Profile) -> None:
        self.host = host
        self.tun = host.tun
        self.script = script
        self.profile = profile
        self.process = host.process
        self.commands = host.commands
        self.wire = Wire(host.tun, profile)
        self.pending: Pending | None = None
        self.began = 0
        #: The time of the event before, in nanoseconds since the script began: as the script has it.
        self.last = 0
        self._variables: dict[str, object] = {}
        self.at: Event | None = None
        #: When the host had done what the event before waits for, in nanoseconds since the script began: no event can be before.
        self._ready = 0
        #: How late the script's last event of its own was, in nanoseconds.
        self._behind = 0

    @property
    def now(self) -> int:
        """Nanoseconds since the script began."""
        return self.host.now - self.began

    def play(self) -> None:
        """All events, in order."""
        try:
            for option in self.script.options:
                if option.name == "init_scripts":
                    self.commands.run(Command((option.value or "").replace(",", "\n"), option.place))
            if self.script.init is not None:
                self.commands.run(self.script.init)
            self.host.begin()
            self.began = self.process.epoch
            for event in self.script.events:
                self.at = event
                try:
                    self._event(event)
                except Mismatch:
                    if not self._is_passed_over(event):
                        raise
                    self.last = max(self.last, self._when(event)[0])
            self._finish_call()
            if self.script.cleanup is not None:
                self.commands.run(self.script.cleanup)
        except Mismatch as mismatch:
            if mismatch.time is None:
                mismatch.time = self.now
            mismatch.late = self.host.late
            raise
        finally:
            self.host.close()

    def _is_passed_over(self, event: Event) -> bool:
        """--non_fatal: what comes otherwise is not what this script is about."""
        kind = {Packet: "packet", Syscall: "syscall"}.get(type(event.action))
        return kind in self.profile.non_fatal

    # Time

    def _event(self, event: Event) -> None:
        start, end = self._when(event)
        action = event.action
        before = self.last
        sent: int | None = None
        if isinstance(action, Packet) and action.direction is Direction.OUTBOUND:
            sent = self._outbound(event, action, start, end)
            self._ready = sent - self._behind  # who is asked late answers late
        else:
            if event.time.kind is not TimeKind.ANY:
                self._advance(start)
                now = self.now
                self._behind = now - max(start, self._ready)
                self.host.late = max(self.host.late, self._behind)
                self._check_time(event, start, end, now, "event")
            match action:
                case Packet():
                    self.wire.inject(action)
                    self._settle()
                case Syscall():
                    self._call(action, before)
                case Command():
                    self.commands.run(action)
                    self._settle()
                case Code():
                    self._code(action)
        # After an event that the script leaves some time, others count from when it was.
        exact = event.time.kind in (TimeKind.ABSOLUTE, TimeKind.RELATIVE)
        self.last = start if exact else self.now if sent is None else sent

    def _when(self, event: Event) -> tuple[int, int]:
        """The first and the last instant of an event, since the script began."""
        time = event.time
        base = self.last if time.relative else 0
        return base + time.start, base + time.end

    def tolerance(self, start: int, since: int | None = None) -> int:
        """How far an event at `start` may be off: more where it is long after the event before, or `since` a call began."""
        return max(self.profile.tolerance, (start - (self.last if since is None else since)) * self.profile.tolerance_share // 100_000)

    def _check_time(self, event: Event, start: int, end: int, actual: int, what: str) -> None:
        if event.time.kind is TimeKind.ANY:
            return
        tolerance = self.tolerance(start)
        if start - tolerance <= actual <= end + tolerance:
            return
        expected = seconds(start) if start == end else f"{seconds(start)} to {seconds(end)}"
        raise Mismatch(f"{what} at another time", f"{expected} s, {show_event(event)}", f"{seconds(actual)} s", event.place, actual)

    def _advance(self, time: int) -> None:
        """Let the network run until so long after the script's beginning, and calls on their way end when they do."""
        instant = self.began + time
        while self.pending is not None and self.host.now < instant:
            self._wait(instant)
        if instant >= self.host.now:
            self.host.run(instant)
        self._step_call()

    def _wait(self, instant: int, *more: Source) -> None:
        """Run until a call on its way, or one of `more`, may go on, `instant` at the latest."""
        sources = list(more)
        if self.pending is not None:
            sources += self.pending.sources
            if self.pending.deadline is not None:
                instant = min(instant, self.pending.deadline)
        self.host.wait(sources, instant)
        self._step_call()

    def _settle(self) -> None:
        """What follows at once, follows."""
        self.host.run(self.host.now)
        self._step_call()

    # Packets

    def _outbound(self, event: Event, packet: Packet, start: int, end: int) -> int:
        """The next packet of the flow must be this one, in time; when it was sent, since the script began."""
        first = start
        latest = self.host.patience + self.now if event.time.kind is TimeKind.ANY else end + self.tolerance(start)
        for part, sent in self.wire.expected(packet, lambda: self._sniff(latest)):
            if sent is None:
                raise Mismatch("no packet was sent in time", show_event(event), "nothing", event.place, self.now)
            if part == 0:
                first = sent.time - self.began
                self._check_time(event, start, end, first, "a packet was sent")
        return first

    def _sniff(self, latest: int) -> bool:
        """Wait for something to be sent; False if nothing is until `latest`."""
        while not self.tun.sent:
            if self.now >= latest:
                self.host.run(self.host.now)
                return bool(self.tun.sent)
            self._wait(self.began + latest, self.tun)
        return True

    # System calls

    def _call(self, syscall: Syscall, before: int) -> None:
        self._finish_call()
        self.wire.calling(syscall, self.process)
        pending = Pending(self.process, syscall)
        ends = None
        if syscall.end is not None:
            ends = syscall.end + (before if self.at is not None and self.at.time.relative else 0)
        pending.begins, pending.ends = before, ends
        self.pending = pending
        self._step_call()
        self._settle()
        if ends is None:
            self._finish_call()

    def _step_call(self) -> None:
        """Let the call on its way go on; look at its result if it has ended."""
        pending = self.pending
        if pending is None or not pending.step():
            return
        self.pending = None
        self.wire.called(pending, self.process)
        pending.compare()
        if pending.ends is None:
            return
        tolerance = self.tolerance(pending.ends, pending.begins)
        if abs(self.now - pending.ends) > tolerance:
            raise Mismatch(
                f"{pending.syscall.name}() returned at another time",
                f"{seconds(pending.ends)} s", f"{seconds(self.now)} s", pending.syscall.place, self.now,
            )  # fmt: skip

    def _finish_call(self) -> None:
        """Wait until the call on its way has ended: the next one is made after it, by the same thread."""
        deadline = self.host.now + self.host.patience
        while self.pending is not None:
            if self.host.now >= deadline or (not self.pending.sources and self.pending.deadline is None):
                call = self.pending.syscall
                raise Mismatch(f"{call.name}() does not return", show_action(call), "it still waits", call.place, self.now)
            self._wait(deadline)
            self._ready = self.now

    # Code

    def _code(self, code: Code) -> None:
        names = Information(self.wire.socket(self.process))
        run_code(code.text, names, self._variables, code.place)

