"""The counters of the host as scripts look at them: nstat(8), `netstat -s`, /proc/net/snmp and /proc/net/netstat."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from stack.host.counters import GAUGE, HostCounters, missing
from stack.testing.drill.shell_words import ShellError

if TYPE_CHECKING:
    from stack.testing.drill.shell import Simple

FILES = ("/proc/net/snmp", "/proc/net/netstat")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+")
_NO_WORD = re.compile(r"\\[a-zA-Z]|\[:\w+:\]")  # of a pattern: \b, [:space:]
_QUOTED = re.compile(r"/([^/]*)/|\"([^\"]*)\"")  # of an awk program
_LONG = {"--ignore": "a", "--nooutput": "n", "--reset": "r", "--noupdate": "s", "--zeros": "z"}
# As RFC 4022 has them before ActiveOpens: Van Jacobson's algorithm, 200 ms to 120 s, any number of connections
_CONSTANTS = {"RtoAlgorithm": 1, "RtoMin": 200, "RtoMax": 120_000, "MaxConn": -1}


class Nstat:
    """What the commands print, and the history of nstat: what it showed last."""

    def __init__(self, counters: Callable[[], HostCounters]) -> None:
        self._now = counters
        self._history: HostCounters | None = None

    def nstat(self, simple: Simple) -> str:
        """nstat(8): what came since it was last asked, or with -a ever, which is kept but with -s; with -n nothing is shown."""
        now = self._now()
        letters = "".join(_LONG.get(word, word[1:]) for word in simple.words[1:] if word.startswith("-"))
        names = [word.lower() for word in simple.words[1:] if not word.startswith("-")]
        if set(letters) - set("anrsz"):
            raise ShellError(f"{simple} cannot be mapped")
        for name in names:
            if not any(fnmatchcase(each.lower(), name) for each in now if each != GAUGE):
                raise ShellError(missing(next(word for word in simple.words if word.lower() == name)))
        before = None if "r" in letters else self._history
        shown = now - before if before is not None and "a" not in letters else now
        if "s" not in letters:
            self._history = now
        if "n" in letters:
            return ""
        lines = shown.text(zeros="z" in letters).splitlines()
        if names:
            lines = [line for line in lines if any(fnmatchcase(line.split()[0].lower(), name) for name in names)]
        return _text(lines)

    def netstat(self, simple: Simple) -> str:
        """netstat(8), with -s only."""
        words = simple.words[1:]
        if not set(words) <= {"-s", "-t", "-st", "-ts", "--statistics", "--tcp"} or words in ((), ("-t",), ("--tcp",)):
            raise ShellError(f"{simple} cannot be mapped")
        return _text(titles(self._now(), False))

    def file(self, path: str) -> str:
        """/proc/net/snmp or /proc/net/netstat."""
        return _text(proc(self._now(), path))

    def check(self, commands: list[Simple]) -> None:
        """Whoever looks through the counters for a word that none of them has looks for a counter that there is not."""
        first = commands[0].words
        source = first[0].rsplit("/", 1)[-1]
        if source not in ("nstat", "netstat") and set(FILES).isdisjoint(first):
            return
        if FILES[1] in first and any(one.words[0].rsplit("/", 1)[-1] in ("awk", "gawk", "mawk", "cut") for one in commands):
            raise ShellError(f"{FILES[1]} has not all of Linux's columns here: they cannot be picked by their place")
        now = self._now()
        if source == "netstat":
            known = "\n".join(titles(now, True)).lower()
        elif source == "nstat":
            known = "\n".join(["#kernel", *now]).lower()
        else:
            known = "\n".join(line for path in FILES for line in proc(now, path)).lower()
        for one in commands:
            for word in _sought(one):
                if word.lower() not in known:
                    raise ShellError(missing(word))


def _sought(one: Simple) -> list[str]:
    """The words that a command looks for."""
    name = one.words[0].rsplit("/", 1)[-1]
    if name in ("grep", "egrep", "fgrep"):
        texts = [word for word in one.words[1:] if not word.startswith("-") and word not in FILES]
    elif name in ("awk", "gawk", "mawk"):
        texts = ["".join(found) for found in _QUOTED.findall(one.words[-1] if one.words[-1] not in FILES else one.words[-2])]
    else:
        return []
    return [word for text in texts for word in _WORD.findall(_NO_WORD.sub(" ", text))]


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def proc(now: HostCounters, file: str) -> list[str]:
    """The lines of /proc/net/snmp or /proc/net/netstat: names, then numbers."""
    if file == FILES[0]:
        rows = dict(_CONSTANTS)
        for name in now:
            if not name.startswith("TcpExt") and name != GAUGE:
                rows[name.removeprefix("Tcp")] = now[name]
            if name == "TcpEstabResets":
                rows["CurrEstab"] = now[GAUGE]
        group = "Tcp:"
    else:
        rows = {name.removeprefix("TcpExt"): now[name] for name in now if name.startswith("TcpExt")}
        group = "TcpExt:"
    return [" ".join((group, *rows)), " ".join((group, *map(str, rows.values())))]


def titles(now: HostCounters, zeros: bool) -> list[str]:
    """The lines of `netstat -s` (net-tools 2.10): the TCP MIB always, others if they are not 0, or with `zeros`."""
    lines = []
    for group in ("Tcp", "TcpExt"):
        lines.append(f"{group}:")
        for name, value in now.items():
            extended = name.startswith("TcpExt")
            if extended is not (group == "TcpExt"):
                continue
            if value or zeros or (not extended and name in TITLES):
                title = TITLES.get(name, f"{name.removeprefix(group)}: {{}}")
                lines.append(f"    {title.format(value)}")
    return lines


# What net-tools 2.10 calls those that it knows
TITLES = {
    "TcpActiveOpens": "{} active connection openings",
    "TcpPassiveOpens": "{} passive connection openings",
    "TcpAttemptFails": "{} failed connection attempts",
    "TcpEstabResets": "{} connection resets received",
    "TcpCurrEstab": "{} connections established",
    "TcpInSegs": "{} segments received",
    "TcpOutSegs": "{} segments sent out",
    "TcpRetransSegs": "{} segments retransmitted",
    "TcpInErrs": "{} bad segments received",
    "TcpOutRsts": "{} resets sent",
    "TcpExtSyncookiesSent": "{} SYN cookies sent",
    "TcpExtSyncookiesRecv": "{} SYN cookies received",
    "TcpExtSyncookiesFailed": "{} invalid SYN cookies received",
    "TcpExtEmbryonicRsts": "{} resets received for embryonic SYN_RECV sockets",
    "TcpExtPruneCalled": "{} packets pruned from receive queue because of socket buffer overrun",
    "TcpExtRcvPruned": "{} packets pruned from receive queue",
    "TcpExtOfoPruned": "{} packets dropped from out-of-order queue because of socket buffer overrun",
    "TcpExtOutOfWindowIcmps": "{} ICMP packets dropped because they were out-of-window",
    "TcpExtTW": "{} TCP sockets finished time wait in fast timer",
    "TcpExtPAWSActive": "{} active connections rejected because of time stamp",
    "TcpExtPAWSEstab": "{} packets rejected in established connections because of timestamp",
    "TcpExtDelayedACKs": "{} delayed acks sent",
    "TcpExtDelayedACKLost": "Quick ack mode was activated {} times",
    "TcpExtListenOverflows": "{} times the listen queue of a socket overflowed",
    "TcpExtListenDrops": "{} SYNs to LISTEN sockets dropped",
    "TcpExtTCPHPHits": "{} packet headers predicted",
    "TcpExtTCPPureAcks": "{} acknowledgments not containing data payload received",
    "TcpExtTCPHPAcks": "{} predicted acknowledgments",
    "TcpExtTCPRenoRecovery": "{} times recovered from packet loss due to fast retransmit",
    "TcpExtTCPSACKReorder": "Detected reordering {} times using SACK",
    "TcpExtTCPRenoReorder": "Detected reordering {} times using reno fast retransmit",
    "TcpExtTCPTSReorder": "Detected reordering {} times using time stamp",
    "TcpExtTCPFullUndo": "{} congestion windows fully recovered without slow start",
    "TcpExtTCPPartialUndo": "{} congestion windows partially recovered using Hoe heuristic",
    "TcpExtTCPLossUndo": "{} congestion windows recovered without slow start after partial ack",
    "TcpExtTCPRenoFailures": "{} timeouts after reno fast retransmit",
    "TcpExtTCPLossFailures": "{} timeouts in loss state",
    "TcpExtTCPFastRetrans": "{} fast retransmits",
    "TcpExtTCPSlowStartRetrans": "{} retransmits in slow start",
    "TcpExtTCPRcvCollapsed": "{} packets collapsed in receive queue due to low socket buffer",
    "TcpExtTCPAbortOnData": "{} connections reset due to unexpected data",
    "TcpExtTCPAbortOnClose": "{} connections reset due to early user close",
    "TcpExtTCPAbortOnTimeout": "{} connections aborted due to timeout",
    "TcpExtTCPAbortOnLinger": "{} connections aborted after user close in linger timeout",
}
