"""Two logs laid side by side: the first thing in which they differ, and a signature of it that other scenarios may share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from tests.tap.fuzz.wire import Segment
from tests.tap.fuzz.world import Record

SLACK = 0.03  # seconds: a busy machine, and the kernel's timers, which may be late by an eighth
TIMES = {"rto": 60_000, "rtt": 25_000, "rttvar": 25_000, "min_rtt": 8_000, "rcv_rtt": 25_000, "ato": 8_000}  # microseconds
LEFT_OUT = {"rcv_rtt", "delivery_rate_app_limited", "reord_seen"}  # noisy; kept only where a congestion control wants it
_CLOSED = 7


class Difference(NamedTuple):
    at: int  # the record
    signature: str
    said: str


def difference(kernel: list[Record], ours: list[Record], times: bool = True) -> Difference | None:
    before_kernel = before_ours = 0.0
    for at in range(max(len(kernel), len(ours))):
        if at >= len(kernel) or at >= len(ours):
            extra, who = (kernel[at], "kernel") if at < len(kernel) else (ours[at], "ours")
            return Difference(at, f"only {who}: {_kind(extra)}", show(extra))
        one, two = kernel[at], ours[at]
        found = _unlike(one, two)
        if found is not None:
            return Difference(at, found, f"kernel {show(one)} | ours {show(two)}")
        apart = one[0] - before_kernel, two[0] - before_ours
        late = apart[0] - apart[1]
        if times and one[1] == "packet" and not -SLACK < late < SLACK + apart[0] / 7:
            return Difference(at, f"time {_kind(one)}", f"kernel {show(one)} | ours {show(two)}")
        before_kernel, before_ours = one[0], two[0]
    return None


def _kind(record: Record) -> str:
    if record[1] == "packet":
        segment: Segment = record[2]
        return f"packet {segment.flags}{' text' if segment.length else ''}"
    return f"{record[1]} {str(record[2]).split(':')[0] if record[1] == 'result' else ''}"


def _unlike(one: Record, two: Record) -> str | None:
    if one[1] != two[1]:
        return f"{_kind(one)} / {_kind(two)}"
    if one[1] == "info":
        if one[2]["state"] == two[2]["state"] == _CLOSED:
            return None  # what is left of a connection in TIME-WAIT counts otherwise
        unlike = [name for name in one[2] if not _same(name, one[2][name], two[2][name])]
        return f"info {' '.join(unlike)}" if unlike else None
    if one[1] == "packet":
        return _segments(one[2], two[2])
    return f"result {one[2]} / {two[2]}" if one[2] != two[2] else None


def _same(name: str, one: int, two: int) -> bool:
    return name in LEFT_OUT or one == two or abs(one - two) <= max(TIMES.get(name, 0), one // 8 if name in TIMES else 0)


def _segments(one: Segment, two: Segment) -> str | None:
    unlike = [name for name in ("flags", "seq", "length", "ack", "window", "urgent", "ecn") if getattr(one, name) != getattr(two, name)]
    plain_one, plain_two = ([option for option in segment.options if option[0] != "ts"] for segment in (one, two))
    if plain_one != plain_two:
        unlike.append("options")
    stamps = [[option for option in segment.options if option[0] == "ts"] for segment in (one, two)]
    if len(stamps[0]) != len(stamps[1]) or (stamps[0] and stamps[0][0][2] != stamps[1][0][2]):
        unlike.append("ts")
    if not unlike:
        return None
    kind = f"packet {one.flags}{' text' if one.length else ''}"
    return f"{kind}: {' '.join(unlike)}" + (f" ours {two.flags}" if one.flags != two.flags else "")


def show(record: Record) -> str:
    what: Any = record[2]
    if record[1] == "packet":
        return f"{record[0]:7.3f} > {what}"
    if record[1] == "info":
        keys = ("state", "ca_state", "retransmits", "probes", "backoff", "unacked", "sacked", "lost", "retrans", "snd_cwnd", "snd_ssthresh", "rcv_ssthresh", "rto")
        return f"{record[0]:7.3f} info " + " ".join(f"{key}={what[key]}" for key in keys)
    return f"{record[0]:7.3f} {what}"


def lay_out(steps: list[Record], kernel: list[Record], ours: list[Record], found: Difference) -> str:
    """What was done, what both did; from the difference on, each for itself."""
    lines = []
    same, rest = kernel[: found.at], kernel[found.at :]
    merged = sorted([(time, 1, f"      {show((time, kind, what))}") for time, kind, what in same] + [(time, 0, f"      {time:7.3f} < {what}") for time, _, what in steps])
    lines += [text for time, _, text in merged]
    lines += [f"    K {show(record)}" for record in rest[:6]]
    lines += [f"    E {show(record)}" for record in ours[found.at : found.at + 6]]
    if found.signature.startswith("info") and "/" not in found.signature:
        names = found.signature.split()[1:]
        one, two = kernel[found.at][2], ours[found.at][2]
        lines.append("    " + ", ".join(f"{name}: kernel {one[name]}, ours {two[name]}" for name in names))
    return "\n".join(lines)


def plain(log: list[Record]) -> list[Record]:
    return [(time, kind, replace(what) if kind == "packet" else what) for time, kind, what in log]
