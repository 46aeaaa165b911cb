"""The same scenario between Linux and Linux, and between Linux and ours, over the same emulated link: what differs?

    sudo python -m tests.tap.differential [SCENARIO…] [--packets]

A scenario is what the programs at both ends do (steps of `peer.script`). It runs three times: Linux to Linux (two namespaces,
two TAPs, our link between), ours as the client, ours as the server. From each run come facts: of the packets, as seen at the middle of
the link, and of what the programs saw. A table shows those in which ours is not as Linux is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack import TCP, IPv4, Network, TcpSettings
from stack.host.counters import GAUGE, HostCounters
from stack.lab.host import Host
from stack.lab.tap import Tap
from stack.tcp.counters import NAMES
from stack.testing.namespace import Namespace
from tests.tap import peer
from tests.tap.scenarios import SCENARIOS, Scenario

PEER = Path(__file__).with_name("peer.py")
MS = 1_000_000
DELAY = "10 ms"
UNDISTURBED = 60 * MS  # less than a third of the least RTO
ATTEMPTS = 8
RMEM: dict[str, str | int] = {"net.ipv4.tcp_rmem": "4096 131072 6291456"}  # the kernel's default
PAIRINGS = (("linux", "linux"), ("ours", "linux"), ("linux", "ours"))


@dataclass
class Seen:
    """One packet, as packetdrill would write it: relative numbers, times in ns since the first one."""

    time: int
    by: str
    flags: str
    start: int
    length: int
    ack: int
    window: int
    options: tuple[str, ...]
    ip: str
    lost: bool = False
    waited: int = 0  # for a processor, until then

    def __str__(self) -> str:
        ack = f" ack {self.ack}" if "." in self.flags else ""
        options = f" <{','.join(self.options)}>" if self.options else ""
        return (
            f"{self.time / 1e9:9.6f} {'>' if self.by == 'client' else '<'} {self.flags} {self.start}:{self.start + self.length}"
            f"({self.length}){ack} win {self.window}{options}{' LOST' if self.lost else ''}"
        )


@dataclass
class Run:
    """What one run showed."""

    packets: list[Seen] = field(default_factory=list)
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counted: dict[str, HostCounters] = field(default_factory=dict)  # at each end, by Linux's names
    held_up: int = 0  # the longest that the emulation was ready to run, and had no processor (ns)

    def of(self, by: str, flags: str | None = None) -> list[Seen]:
        return [one for one in self.packets if one.by == by and (flags is None or one.flags == flags)]


def options_of(header: TCP, syn: bool) -> Iterator[str]:
    """The options in order; values where they do not change from run to run."""
    data, at = bytes(header.options), 0
    names = {2: "mss", 3: "wscale", 4: "sackOK", 5: "sack", 8: "TS", 30: "MPTCP", 34: "FO"}
    while at < len(data):
        kind = data[at]
        if kind < 2:
            yield ("eol", "nop")[kind]
            at += 1
            continue
        length = max(2, data[at + 1])
        value = int.from_bytes(data[at + 2 : at + length], "big")
        yield f"{names.get(kind, kind)}{f' {value}' if kind in (2, 3) else ''}"
        at += length


def waited() -> int:
    """How long (ns) this process has been ready to run, and had no processor: what the machine's load adds to times."""
    with open("/proc/self/schedstat") as file:
        return int(file.read().split()[1])


def note_hold_ups(run: Run, net: Network) -> None:
    """Look how long the network waited for a processor, each time that it has waited for something to happen."""
    look, last = net.real_time.timeout, [waited()]

    def timeout(now: int) -> None:
        look(now)
        before, last[0] = last[0], waited()
        run.held_up = max(run.held_up, last[0] - before)

    net.real_time.timeout = timeout  # type: ignore[method-assign]


def watch(run: Run, link: Any) -> None:
    """Note the TCP packets as they enter the link; numbers relative to each side's first."""
    first: dict[str, int] = {}
    start: list[int] = []
    client_port: list[int] = []

    def tap(now: int, packet: Any, direction: Any) -> None:
        header = packet.get(TCP)
        if header is None:
            return
        if not client_port:
            client_port.append(header.source)
            start.append(now)
        by, other = ("client", "server") if header.source == client_port[0] else ("server", "client")
        flags = "".join(letter for letter, name in zip("SFRPUEWA", ("syn", "fin", "rst", "psh", "urg", "ece", "cwr", "ae"), strict=True) if getattr(header, name))
        flags += "." if header.ack else ""
        origin = first.setdefault(by, header.sequence)
        text = packet.after(TCP)
        ip = packet.get(IPv4)
        shown = f"ttl {ip.time_to_live} {'DF' if ip.flags & 2 else ''} tos {ip.dscp << 2 | ip.ecn} id {'0' if ip.identification == 0 else 'n'}" if ip else "v6"
        ack = (header.acknowledgment - first.get(other, header.acknowledgment)) & 0xFFFFFFFF if header.ack else 0
        run.packets.append(
            Seen(
                now - start[0], by, flags, (header.sequence - origin) & 0xFFFFFFFF, len(text), ack, header.window,
                tuple(options_of(header, header.syn)), shown, getattr(direction, "losing", False), waited(),
            )
        )  # fmt: skip

    for direction in link.directions:
        direction.taps.append(tap)


def lose(link: Any, ends: tuple[Any, Any], lost: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Drop packets by their number among the TCP packets of each end."""
    for end, other, numbers in zip(ends, reversed(ends), lost, strict=True):
        if numbers:
            count = [0]

            def hit(packet: Any, count: list[int] = count, numbers: tuple[int, ...] = numbers) -> bool:
                count[0] += TCP in packet
                return TCP in packet and count[0] in numbers

            link.toward(other).drop(hit)
        del end


def execute(scenario: Scenario, client: str, server: str) -> Run:
    """Run a scenario between two kinds of ends; again where the machine, which had other things to do, took part in it."""
    for _ in range(ATTEMPTS):
        run = attempt(scenario, client, server)
        if run.held_up < UNDISTURBED:
            break
    return run


def attempt(scenario: Scenario, client: str, server: str, port: int = 8080) -> Run:
    """Run a scenario once."""
    run = Run()
    with ExitStack() as stack:
        net = stack.enter_context(Network(seed=1))
        ends: list[Host | Tap] = []
        spaces: dict[str, Namespace] = {}
        settings = TcpSettings.linux()
        for key, value in scenario.sysctls:
            settings = settings.with_sysctl(key, value)
        for kind, name in ((client, "client"), (server, "server")):
            if kind == "linux":
                spaces[name] = stack.enter_context(Namespace(RMEM | dict(scenario.sysctls)))
                ends.append(net.tap(name, namespace=spaces[name].name))
            else:
                ends.append(net.host(name, tcp=settings))
        link = net.link(ends[0], ends[1], delay=DELAY, queue=None)
        net.update()
        _warm(net, ends, spaces)
        watch(run, link)
        note_hold_ups(run, net)
        lose(link, (ends[0], ends[1]), scenario.lost)
        before = {name: counters(end, spaces.get(name)) for name, end in zip(("client", "server"), ends, strict=True)}
        finished: list[Callable[[], bool]] = []
        target = [str(ends[1].address), port]
        for name, kind, steps in (("server", server, scenario.server), ("client", client, scenario.client)):
            said = run.said.setdefault(name, [])
            if name == "server" and not scenario.listens:
                continue
            given = {"steps": steps, **({"connect": target} if name == "client" else {"port": port})}
            index = 0 if name == "client" else 1
            if kind == "linux":
                program = spaces[name].start(sys.executable, str(PEER), "script", json.dumps(given), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                finished.append(lambda program=program: program.poll() is not None)  # type: ignore[misc]
                if name == "server":
                    assert program.stdout is not None
                    program.stdout.readline()
                stack.callback(_collect, program, said)
            else:
                host = ends[index]
                assert isinstance(host, Host)
                ours = host.start(peer.script, given, said.append)
                finished.append(lambda ours=ours: ours.done)  # type: ignore[misc]
                if name == "server":
                    net.run_until(lambda said=said: bool(said))  # type: ignore[misc]
                    said.clear()
        limit = net.now + int(scenario.seconds * 1e9)
        net.run_until(lambda: net.now > limit or all(done() for done in finished))
        net.run(until=(net.now + 300 * MS) / 1e9)
        for name, end in zip(("client", "server"), ends, strict=True):
            run.counted[name] = counters(end, spaces.get(name)) - before[name]
    return run


def counters(end: Host | Tap, space: Namespace | None) -> HostCounters:
    """What an end has counted: those counters of the kernel's that we have, too."""
    if space is None:
        assert isinstance(end, Host)
        return end.counters()
    values: dict[str, int] = {}
    lines = space.run("cat", "/proc/net/snmp", "/proc/net/netstat").decode().splitlines()
    for names, numbers in zip(lines[::2], lines[1::2], strict=True):
        group = names.partition(":")[0]
        values |= {f"{group}{name}": int(number) for name, number in zip(names.split()[1:], numbers.split()[1:], strict=True)}
    return HostCounters({name: values.get(name, 0) for name in [GAUGE, *NAMES]})


def facts(run: Run, by: str) -> dict[str, str]:
    """What can be compared of one end: nothing here hangs on how fast the computer is, but for times in steps of 50 ms."""
    mine = run.of(by)
    starts: set[tuple[int, int]] = set()
    repeats: list[Seen] = []
    for one in mine:
        key = (one.start, one.length)
        if one.length or "S" in one.flags or "F" in one.flags:
            if key in starts:
                repeats.append(one)
            starts.add(key)
    syn = next((one for one in mine if "S" in one.flags), None)
    after = next((one for one in mine if "S" not in one.flags), None)
    probes = [one for one in mine if one.flags == "." and not one.length and one.start < max((other.start + other.length for other in mine if other.time < one.time), default=0)]
    return {
        "the programs found": json.dumps([{key: value for key, value in one.items() if key != "info"} for one in run.said[by]]),
        "SYN": f"{syn.flags} win {syn.window} <{','.join(syn.options)}>" if syn else "none",
        "SYN, IP header": syn.ip if syn else "none",
        "options after it": ",".join(after.options) if after else "none",
        "sent again": str(len(repeats)),
        "sent again after (50 ms)": " ".join(str(round((one.time - mine[0].time) / 50 / MS)) for one in repeats),
        "probes": str(len(probes)),
        "octets of a probe below what was sent": " ".join(sorted({str(one.length) for one in probes})),
        "FIN": " ".join(one.flags for one in mine if "F" in one.flags),
        "RST": " ".join(f"{one.flags} win {one.window} <{','.join(one.options)}>" for one in mine if "R" in one.flags),
        "acknowledges a FIN": "alone" if _acks_a_fin_alone(run, by) else "with its own, or late",
        "urgent": " ".join(f"{one.flags}({one.length})" for one in mine if "U" in one.flags),
        "duplicates that it reports": str(sum("sack" in one.options for one in mine)),
        **({name: str(value) for name, value in run.counted[by].items()} if run.counted else {}),
    }


def _acks_a_fin_alone(run: Run, by: str) -> bool:
    fin = next((one for one in run.packets if one.by != by and "F" in one.flags), None)
    if fin is None or any("F" in one.flags and one.time < fin.time for one in run.of(by)):
        return False
    end = fin.start + fin.length + 1
    first = next((one for one in run.of(by) if one.time > fin.time and one.ack >= end), None)
    if first is None or first.flags != ".":
        return False
    return first.time - fin.time - (first.waited - fin.waited) < 25 * MS  # the link's 10 ms; a delayed ACK takes 40 more


def compare(name: str, run: Callable[[str, str, str], Run] | None = None) -> list[tuple[str, str, str, str]]:
    """(who, fact, Linux, ours) where ours is not as Linux in the same place."""
    run = run or (lambda name, client, server: execute(SCENARIOS[name], client, server))
    both, client, server = (run(name, *pairing) for pairing in PAIRINGS)
    found = []
    for by, ours in (("client", client), ("server", server)):
        wanted, got = facts(both, by), facts(ours, by)
        found += [(by, fact, wanted[fact], got[fact]) for fact in wanted if wanted[fact] != got[fact]]
    return found


def main(arguments: list[str]) -> None:
    """Run the scenarios named, or all; print where ours differs. With --packets, every packet of every run, too."""
    names = [one for one in arguments if not one.startswith("-")] or list(SCENARIOS)
    print("| scenario | end | fact | Linux | ours |\n|---|---|---|---|---|")
    for name in names:
        runs: dict[tuple[str, str], Run] = {}

        def run(name: str, client: str, server: str, runs: dict[tuple[str, str], Run] = runs) -> Run:
            made = runs[client, server] = execute(SCENARIOS[name], client, server)
            return made

        for by, fact, wanted, got in compare(name, run):
            print(f"| {name} | {by} | {fact} | {wanted or 'none'} | {got or 'none'} |", flush=True)
        if "--packets" in arguments:
            for (client, server), made in runs.items():
                print(f"\n{client} -> {server}: {made.said}", *made.packets, sep="\n")


def _warm(net: Network, ends: list[Any], spaces: dict[str, Namespace]) -> None:
    """Let both ends know each other's link address, so that times are those of TCP."""
    for name, end, other in (("client", ends[0], ends[1]), ("server", ends[1], ends[0])):
        if name in spaces:
            source = "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', (sys.argv[1], 9))"
            program = spaces[name].python(source, str(other.address))
            net.run_until(lambda program=program: program.poll() is not None)  # type: ignore[misc]
        else:
            end.ping(str(other.address), count=1)
    net.run(until=(net.now + 100 * MS) / 1e9)


def _collect(program: Any, said: list[dict[str, Any]]) -> None:
    if program.poll() is None:
        program.kill()
    said.extend(json.loads(line) for line in program.stdout.read().splitlines())



if __name__ == "__main__":
    main(sys.argv[1:])
