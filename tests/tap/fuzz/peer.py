"""The peer that scenarios speak of: what `ack all` and `the third segment` mean, once the host has said what it has."""

from __future__ import annotations

from typing import Any

from tests.tap.fuzz.wire import Option, Segment
from tests.tap.fuzz.world import Step


class Peer:
    """Turns a step that says what is meant into one of numbers. It hears what the kernel sends; the emulated host gets the same numbers."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        self.timestamps = bool(scenario["syn"].get("ts"))
        self.sack = bool(scenario["syn"].get("sack"))
        self.window = scenario["window"]
        self.acked = 0  # of the host's sequence numbers
        self.next = 0  # one behind the highest that the host has sent
        self.sent = 0  # one behind the highest that we have sent in order
        self.right = 0  # of the window that the host offers
        self.expected = 0  # what the host acknowledges
        self.scale = 0
        self.echo = 0
        self.full = 1  # the host's segments: the longest so far
        self.open = False

    def hear(self, segment: Segment) -> None:
        size = segment.length + ("S" in segment.flags) + ("F" in segment.flags)
        if "R" in segment.flags:
            return
        self.next = max(self.next, segment.seq + size)
        self.full = max(self.full, segment.length)
        if "." in segment.flags:
            self.expected = max(self.expected, segment.ack)
            self.right = max(self.right, segment.ack + (segment.window << (0 if "S" in segment.flags else self.scale)))
        for name, one, _ in segment.options:
            if name == "ts":
                self.echo = max(self.echo, one)
            elif name == "wscale":
                self.scale = one

    def settle(self, step: Step, now: int) -> Step:
        """The step in numbers, at `now` in nanoseconds."""
        make = getattr(self, "_" + step["op"], None)
        return step if make is None else make(step, now)

    def _finish(self, step: Step, now: int, flags: str, seq: int, length: int = 0, ack: int = 0, options: list[Option] | None = None) -> Step:
        options = list(options or [])
        if self.timestamps and not step.get("no_ts") and "R" not in flags:
            value = 5000 + now // 1_000_000 + step.get("ts_shift", 0)
            options.insert(0, ("ts", value, max(0, self.echo + step.get("echo_shift", 0)) if "." in flags else 0))
        window = step.get("window", self.window)
        return {"op": "segment", "segment": Segment(flags, seq, length, ack, window, options, step.get("urgent", 0), step.get("ecn", 0))}

    def _syn(self, step: Step, now: int) -> Step:
        """The peer's SYN, or its SYN,ACK."""
        said = step["said"]
        options: list[Option] = []
        for name, option in (("mss", "mss"), ("sack", "sackOK"), ("wscale", "wscale")):
            if said.get(name) is not None and said.get(name) is not False:
                options.append((option, int(said[name]) if name != "sack" else 0, 0))
        self.sent = max(self.sent, 1)
        made = self._finish(step, now, step["flags"], step.get("seq", 0), step.get("length", 0), self.next + step.get("ack_shift", 0), options)
        if not said.get("ts"):
            made["segment"].options = [option for option in made["segment"].options if option[0] != "ts"]
        made["segment"].window = step.get("window", 32792)
        if "." in step["flags"]:
            self.acked = self.next
        return made

    def _ack(self, step: Step, now: int) -> Step:
        """An acknowledgment, with text or without: `upto` is "all", "same", or segments from what was acknowledged."""
        ack = self._upto(step)
        blocks: list[Option] = []
        if self.sack or step.get("wild"):
            for left, right in step.get("sack", [])[: 3 if self.timestamps else 4]:
                one, two = ack + int(left * self.full), ack + int(right * self.full)
                if not step.get("wild"):
                    one, two = max(1, min(one, self.next)), min(two, self.next)
                if one < two or step.get("wild"):
                    blocks.append(("sack", one, two))
        if not step.get("stray"):
            self.acked = max(self.acked, min(ack, self.next))
        length = step.get("length", 0)
        flags = step.get("flags", "")
        start = self.sent + step.get("shift", 0)
        if step.get("beyond"):
            start = self.right + step.get("shift", 0)
        elif length or "F" in flags:
            end = start + length + ("F" in flags)
            if start <= self.sent:
                self.sent = max(self.sent, end)
        order = flags.replace(".", "")
        return self._finish(step, now, order + ("" if step.get("without_ack") else "."), start, length, ack, blocks)

    def _upto(self, step: Step) -> int:
        upto = step.get("upto", "same")
        if upto == "all":
            return self.next
        if upto == "same":
            return self.acked
        ack = self.acked + int(upto * self.full)
        return ack if step.get("stray") else max(1, min(ack, self.next))

    def _reset(self, step: Step, now: int) -> Step:
        seq = {"next": self.expected, "window": self.expected + step.get("shift", 1), "beyond": self.right + step.get("shift", 1), "old": self.expected - 1}[step["where"]]
        return self._finish(step, now, "R." if step.get("ack") else "R", seq, 0, self.acked)

    def _stray_syn(self, step: Step, now: int) -> Step:
        return self._finish(step, now, step["flags"], self.expected + step.get("shift", 0), 0, self.acked, [("mss", 1000, 0)])

    def _icmp(self, step: Step, now: int) -> Step:
        return {**step, "seq": self.acked + int(step["at"] * self.full), "length": self.full}

    def _gather(self, step: Step, now: int) -> Step:
        """All that the host may have left behind is reset."""
        return {"op": "segment", "segment": Segment("R", self.expected)}
