"""Scenarios from a seed, shaped as the scripts that people write for packetdrill are."""

from __future__ import annotations

import random
from typing import Any

from tests.tap.fuzz.world import Step

Scenario = dict[str, Any]
SOCKET, IP, TCP = 1, 0, 6
DEFAULTS = {  # packetdrill's own `defaults.sh`
    "net.ipv4.tcp_rmem": "4096 540000 15728640", "net.ipv4.tcp_wmem": "4096 262144 4194304", "net.ipv4.tcp_slow_start_after_idle": "0",
    "net.ipv4.tcp_syn_retries": "5", "net.ipv4.tcp_ecn": "0", "net.ipv4.tcp_min_tso_segs": "2", "net.ipv4.tcp_no_metrics_save": "1",
}  # fmt: skip
SHORT = (0.0, 0.0, 0.002, 0.005, 0.01, 0.01, 0.02, 0.03)
LONG = (0.05, 0.06, 0.11, 0.25, 0.3, 0.45)
SYSCTLS = (
    ("net.ipv4.tcp_ecn", "1"), ("net.ipv4.tcp_ecn", "2"), ("net.ipv4.tcp_slow_start_after_idle", "1"), ("net.ipv4.tcp_rmem", "4096 131072 6291456"),
    ("net.ipv4.tcp_early_retrans", "0"), ("net.ipv4.tcp_recovery", "0"), ("net.ipv4.tcp_frto", "0"),
    ("net.ipv4.tcp_sack", "0"), ("net.ipv4.tcp_dsack", "0"), ("net.ipv4.tcp_timestamps", "0"), ("net.ipv4.tcp_window_scaling", "0"),
    ("net.ipv4.tcp_thin_linear_timeouts", "1"), ("net.ipv4.tcp_reordering", "5"), ("net.ipv4.tcp_moderate_rcvbuf", "0"),
    ("net.ipv4.tcp_comp_sack_nr", "0"), ("net.ipv4.tcp_retrans_collapse", "0"), ("net.ipv4.tcp_autocorking", "0"),
    ("net.ipv4.tcp_shrink_window", "1"), ("net.ipv4.tcp_adv_win_scale", "2"), ("net.ipv4.tcp_notsent_lowat", "5000"),
    ("net.ipv4.tcp_rmem", "4096 20000 40000"), ("net.ipv4.tcp_wmem", "4096 20000 40000"), ("net.ipv4.tcp_mtu_probing", "2"),
    ("net.ipv4.tcp_base_mss", "512"), ("net.ipv4.tcp_stdurg", "1"), ("net.ipv4.tcp_rfc1337", "1"), ("net.ipv4.tcp_retries2", "3"),
    ("net.ipv4.tcp_orphan_retries", "1"), ("net.ipv4.tcp_fin_timeout", "1"),
    ("net.ipv4.tcp_workaround_signed_windows", "1"),
)  # fmt: skip
OPTIONS: tuple[tuple[int, int, Any], ...] = (
    (TCP, 1, 1), (TCP, 1, 1), (TCP, 2, 500), (TCP, 2, 1200), (TCP, 3, 1), (TCP, 12, 1), (TCP, 12, 0), (SOCKET, 8, 4000), (SOCKET, 8, 20000), (SOCKET, 8, 100000),
    (SOCKET, 7, 5000), (SOCKET, 7, 30000), (SOCKET, 7, 100000), (SOCKET, 13, [1, 0]), (SOCKET, 9, 1), (TCP, 4, 1), (TCP, 5, 1),
    (TCP, 18, 300), (TCP, 18, 1000), (TCP, 25, 3000), (TCP, 25, 20000), (TCP, 9, 1), (TCP, 7, 1), (TCP, 8, 1), (TCP, 10, 5000), (TCP, 10, 500),
    (TCP, 13, "reno"), (TCP, 13, "reno"), (TCP, 16, 1), (SOCKET, 10, 1), (SOCKET, 18, 2000), (IP, 11, 1), (IP, 10, 0), (IP, 10, 2), (IP, 10, 3), (TCP, 36, 1),
    (TCP, 44, 50), (TCP, 44, 300), (TCP, 45, 1000), (SOCKET, 47, 100000),
)  # fmt: skip
THEMES = {
    # write, read, end, ack, data, weird, option, icmp, silence
    "loss": (4, 0, 0.3, 12, 0.5, 0.5, 0.3, 0, 3),
    "receiver": (1, 5, 0.4, 1, 12, 0.5, 0.5, 0, 1.5),
    "ends": (2, 2, 3, 4, 3, 1, 0.3, 0.2, 1),
    "window": (5, 1, 0.3, 6, 1, 0.5, 0.5, 0, 3),
    "path": (4, 0, 0.3, 6, 0.5, 0.5, 0.3, 3, 1),
    "mixed": (3, 2, 0.6, 5, 4, 2, 1, 0.7, 1.5),
    "options": (4, 2, 0.5, 4, 3, 0.3, 4, 0.1, 2),
    "attack": (1, 1, 0.7, 2, 2, 8, 0.3, 1, 0.5),
}


class Maker:
    """`Maker(seed).scenario()`."""

    def __init__(self, seed: str) -> None:
        self.draw = random.Random(seed)
        self.mss = 1000

    def chance(self, probability: float) -> bool:
        return self.draw.random() < probability

    def one(self, of: Any) -> Any:
        return of[int(self.draw.random() * len(of))]

    def scenario(self) -> Scenario:
        theme = self.one(tuple(THEMES))
        syn = {"mss": self.one((1000, 1000, 1000, 1460, 1460, 536, 400, None)), "sack": self.chance(0.75), "ts": self.chance(0.3), "wscale": self.one((7, 7, 6, 0, 10, None, None))}
        self.mss = min(syn["mss"] or 536, 1460)
        full = self.one((257, 1000, 2000, 10, 50)) if syn["wscale"] and syn["wscale"] > 5 else self.one((1000, 4000, 20000, 65535, 32792))
        made: Scenario = {"theme": theme, "syn": syn, "window": full, "sysctls": [], "options": []}
        for _ in range(self.one((0, 0, 0, 1, 1, 2))):
            name, value = self.one(SYSCTLS)
            made["sysctls"].append([name, value])
        for _ in range(self.one((0, 0, 0, 1, 1, 2))):
            made["options"].append(self.one(OPTIONS))
        made["steps"] = self.opening(made) + self.walk(theme) + [self.late({"op": "info"})]
        return made

    def late(self, step: Step, delays: tuple[float, ...] = SHORT) -> Step:
        return {"after": self.one(delays), **step}

    def opening(self, made: Scenario) -> list[Step]:
        syn, steps = made["syn"], []
        ecn = self.chance(0.12)
        strange = self.chance(0.12)
        for name, value in made["sysctls"]:
            steps.append({"after": 0.0, "op": "sysctl", "name": name, "value": value})
        if self.chance(0.65):
            steps.append({"after": 0.0, "op": "listen", "options": made["options"]})
            steps.append({"after": 0.005, "op": "syn", "flags": "SEW" if ecn else "S", "said": syn})
            if strange:
                steps += [self.strange_opening(syn, False) for _ in range(self.one((1, 2)))]
            third: Step = {"op": "ack", "upto": "all"}
            if self.chance(0.1):
                third["length"] = self.one((10, self.mss))
            steps.append(self.late(third, (0.015, 0.02, 0.03, 0.05)))  # a round trip that is longer than the kernel's ticks
            steps.append({"after": 0.002, "op": "accept"})
        else:
            steps.append({"after": 0.0, "op": "connect", "options": made["options"]})
            if strange:
                steps += [self.strange_opening(syn, True) for _ in range(self.one((1, 2)))]
            steps.append(self.late({"op": "syn", "flags": "SE." if ecn else "S.", "said": syn}, (0.015, 0.02, 0.03, 0.05)))
        return steps

    def strange_opening(self, syn: dict[str, Any], client: bool) -> Step:
        said: list[Step] = [
            {"op": "syn", "flags": "S", "said": syn}, {"op": "syn", "flags": "S.", "said": syn, "ack_shift": self.one((1, -1, 100))},
            {"op": "ack", "upto": 1, "stray": True}, {"op": "ack", "upto": "same", "flags": "F"}, {"op": "ack", "upto": "all", "length": 100, "shift": 100},
            {"op": "reset", "where": self.one(("next", "window", "beyond", "old")), "ack": self.chance(0.5)},
            {"op": "icmp", "kind": 3, "code": self.one((0, 1, 2, 3, 4, 13)), "mtu": self.one((0, 600, 1200)), "at": 0},
            {"op": "write", "length": 100, "flags": 0}, {"op": "shutdown", "how": 1}, {"op": "info"}, {"op": "read", "length": 10, "flags": 0},
            {"op": "connect", "options": []} if client else {"op": "accept"}, {"op": "close"} if client else {"op": "accept"},
        ]  # fmt: skip
        return self.late(self.one(said), SHORT + (0.05, 1.1))

    def walk(self, theme: str) -> list[Step]:
        weights = THEMES[theme]
        makers = (self.write, self.read, self.end, self.ack, self.data, self.weird, self.option, self.icmp, self.silence)
        steps: list[Step] = []
        count = self.one((4, 6, 8, 10, 14, 20))
        if weights[0] > 2 or self.chance(0.5):
            steps += self.write()
        while len(steps) < count:
            steps += self.draw.choices(makers, weights)[0]()
            if self.chance(0.15):
                steps.append({"after": 0.0, "op": "info"})
        return steps

    def write(self) -> list[Step]:
        sizes = (1, 100, self.mss, self.mss, 2 * self.mss, 3 * self.mss, 4 * self.mss, 5 * self.mss + 1, 10 * self.mss, 10 * self.mss, 20 * self.mss, 60 * self.mss)
        step = {"op": "write", "length": self.one(sizes), "flags": self.one((0, 0, 0, 0, 0, 0, 0, 0, 0x8000, 1)) | 0x4000}
        return [self.late(dict(step)) for _ in range(self.one((1, 1, 1, 1, 2, 4)))]

    def read(self) -> list[Step]:
        return [self.late({"op": "read", "length": self.one((1, 100, self.mss, 5000, 20000, 200000)), "flags": self.one((0, 0, 0, 0, 0, 2, 1, 32))})]

    def end(self) -> list[Step]:
        said: list[Step] = [
            {"op": "shutdown", "how": 1}, {"op": "shutdown", "how": 1}, {"op": "shutdown", "how": 0}, {"op": "shutdown", "how": 2}, {"op": "close"}, {"op": "close"},
            {"op": "ack", "upto": "all", "flags": "F"}, {"op": "ack", "upto": "all", "flags": "F"}, {"op": "ack", "upto": "same", "flags": "F", "length": self.mss},
        ]
        return [self.late(self.one(said))]

    def ack(self) -> list[Step]:
        kind = self.draw.random()
        sized = {"window": self.one((0, 1, 2, 10, 100, 500, 5000))} if self.chance(0.12) else {}
        if self.chance(0.05):
            sized["flags"] = self.one(("E", "P", "W"))
        if self.chance(0.05):
            sized["ts_shift"] = self.one((-10, -3000, 10000))
        if self.chance(0.05):
            sized["echo_shift"] = self.one((-20, -5, 5))
        if kind < 0.2:
            return [self.late({"op": "ack", "upto": "all", **sized})]
        if kind < 0.4:
            return [self.late({"op": "ack", "upto": self.one((1, 1, 1, 2, 2, 3, 5, 0.5)), **sized}) for _ in range(self.one((1, 1, 1, 2, 3, 5)))]
        if kind < 0.47:
            return [self.late({"op": "ack", "upto": "same", **sized}) for _ in range(self.one((1, 2, 3, 4)))]
        if kind < 0.52:
            return [self.late({"op": "ack", "upto": self.one((-1, -3, 1, 5, 100)), "stray": True, **sized})]
        if kind < 0.57:
            return [self.late({"op": "ack", "upto": self.one(("same", "all", 1)), "sack": [[self.one((-3, -2, -1)), 0]] if self.chance(0.7) else [[1, 2], [-1, 0], [1.5, 2.5]], **sized})]
        if kind < 0.6:
            wild = [[self.one((-3, 0, 1, 50, 3)), self.one((0, 2, 1, 100, -1))] for _ in range(self.one((1, 2, 4)))]
            return [self.late({"op": "ack", "upto": self.one(("same", "all", 1)), "sack": wild, "wild": True, **sized})]
        hole = self.one((1, 1, 1, 2, 3))
        top = hole + self.one((1, 1, 2, 3, 4, 7))
        first = self.one(("same", "same", "same", 1, 2))
        steps = [self.late({"op": "ack", "upto": first, "sack": [[hole, end]], **sized}) for end in range(hole + 1, top + 1)]
        if self.chance(0.2):
            gap = top + self.one((1, 2))
            steps.append(self.late({"op": "ack", "upto": "same", "sack": [[gap, gap + self.one((1, 2, 4))], [hole, top]]}))
        if self.chance(0.1):
            steps[-1]["sack"] = [[0, 1]] + steps[-1]["sack"]
        for step in steps[1:]:
            step["upto"] = "same"
        return steps

    def data(self) -> list[Step]:
        length = self.one((1, 10, 100, self.mss, self.mss, self.mss, 1000, 1460, 2 * self.mss))
        upto = self.one(("same", "same", "all", "all", 1))
        kind = self.draw.random()
        base: Step = {"op": "ack", "upto": upto, "length": length, "flags": self.one(("", "P", "P"))}
        if self.chance(0.01):
            base["ecn"] = self.one((2, 3, 1))
        if self.chance(0.04):
            base["ts_shift"] = self.one((-10, -3000, 10000))
        if self.chance(0.04):
            base |= {"flags": "U", "urgent": self.one((1, length, 0, 5000))}
        if kind < 0.6:
            return [self.late(dict(base)) for _ in range(self.one((1, 1, 2, 3, 5, 10)))]
        if kind < 0.8:
            return [self.late({**base, "shift": length * gap}) for gap in range(1, self.one((2, 2, 3, 4)))]
        if kind < 0.93:
            return [self.late({**base, "shift": -self.one((1, length // 2, length, 2 * length, 3 * length))})]
        return [self.late({**base, "beyond": True, "shift": self.one((-length, 0, -length // 2, 1, 10000, -1))})]

    def weird(self) -> list[Step]:
        said: list[Step] = [
            {"op": "reset", "where": self.one(("next", "window", "beyond", "old")), "shift": self.one((1, 1000)), "ack": self.chance(0.3)},
            {"op": "stray_syn", "flags": self.one(("S", "S.", "SF")), "shift": self.one((0, -1, 100, 100000))},
            {"op": "ack", "upto": "same", "shift": -1}, {"op": "ack", "upto": "same", "shift": -1, "length": 1},
            {"op": "ack", "upto": "same", "length": 10, "flags": "U", "urgent": self.one((1, 5, 10, 0, 100))},
            {"op": "ack", "upto": "same", "length": 10, "without_ack": True}, {"op": "ack", "upto": "same", "length": 10, "no_ts": True},
            {"op": "ack", "upto": "all", "flags": "F", "shift": self.one((1, 100, 1000))},
            {"op": "ack", "upto": "same", "flags": self.one(("FP", "FU", "SFP")), "shift": 0},
            {"op": "ack", "upto": self.one((-1, -30, 2, 100)), "stray": True, "length": self.one((0, 10))},
        ]
        return [self.late(self.one(said))]

    def option(self) -> list[Step]:
        if self.chance(0.3):
            number = self.one((2, 10, 4, 5, 18, 25, 9, 12, 3))
            return [self.late({"op": "getsockopt", "level": TCP, "name": number})]
        level, name, value = self.one(OPTIONS)
        if self.chance(0.3) and value == 1:
            value = 0
        return [self.late({"op": "setsockopt", "level": level, "name": name, "value": value})]

    def icmp(self) -> list[Step]:
        code = self.one((4, 4, 4, 4, 0, 1, 2, 3, 5, 9, 13))
        return [self.late({"op": "icmp", "kind": self.one((3, 3, 3, 3, 11, 12, 4)), "code": code, "mtu": self.one((0, 68, 300, 552, 576, 700, 1000, 1200, 1400, 1500, 9000)), "at": self.one((0, 0, 0, 1, 2, -1, 50))})]

    def silence(self) -> list[Step]:
        return [{"after": self.one(LONG + ((0.7, 1.3) if self.chance(0.3) else ())), "op": "info"}]
