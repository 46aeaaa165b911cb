"""The packet scripts of other people beside the project: which pass. `python -m tests.drills` writes the list of docs/packetdrill.md.

They are data under their own licences, in `../shared`: run from there, and skipped where it is absent.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from stack.testing.drill.report import by_script
from stack.testing.drill.run import Result, run_file, scripts

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PAGE = ROOT / "docs" / "packetdrill.md"
FOLDERS = ("packetdrill", "packetdrill-relaxed")
BEGIN = "<!-- from here on: python -m tests.drills -->"
_LISTED = re.compile(r"^\| `([^`]+\.pkt)` \|", re.MULTILINE)

_AS_WRITTEN = ("strict", "relaxed")  # else: not at all, or only with 30 ms of tolerance
_VERSIONS = {"ipv4-mapped-v6": "ipv4-mapped-ipv6"}

# Why a script cannot pass, where that is known better than its failure says.
REASONS: dict[str, str] = {
    "packetdrill/gvisor/tcp_defer_accept.pkt": "written for gVisor, which answers the last FIN 10 ms later than Linux does",
    "packetdrill/gvisor/tcp_defer_accept_timeout.pkt": "written for gVisor, whose SYN,ACK timer runs from another moment than Linux's",
    "packetdrill-relaxed/nplab/linux/early_retransmit/er-quick-2pkt-sack.pkt": "written for early retransmit; RACK waits a quarter of a "
    "round trip, 25 ms: passes with the tolerance that it was relaxed by, `--tolerance-usecs 200000`",
    "packetdrill/google/tcp/fastopen/server/icmp-baseline.pkt": "in IPv6, whose errors are not those of ICMP",
}


@cache
def results(folder: str) -> dict[str, list[Result]]:
    """The runs of each script of a folder, by its path under ../shared."""
    found = [result for path in scripts([SHARED / folder]) for result in run_file(path)]
    return {Path(name).relative_to(SHARED).as_posix(): runs for name, runs in by_script(found).items()}


@cache
def beyond_linux(folder: str) -> dict[str, tuple[str, ...]]:
    """The IP versions in which a Linux 6.18 kernel does not pass a script itself, by ORIGIN.tsv beside the scripts."""
    with (SHARED / folder / "ORIGIN.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = {}
    for row in rows:
        verdicts = [said.partition("=") for said in row["variants"].split(",")]
        found[f"{folder}/{row['file']}"] = tuple(_VERSIONS.get(name, name) for name, _, verdict in verdicts if verdict not in _AS_WRITTEN)
    return found


def listed() -> list[str]:
    """The scripts that the page says do not pass."""
    return _LISTED.findall(PAGE.read_text(encoding="utf-8"))


def share(folder: str) -> float:
    """Which part of a folder's scripts pass in all their IP versions."""
    found = results(folder)
    return sum(all(one.passed for one in runs) for runs in found.values()) / len(found)


def share_of_linux(folder: str) -> float:
    """Which part passes in all the IP versions in which Linux itself does."""
    excused = beyond_linux(folder)
    found = results(folder)
    return sum(all(one.passed or one.version in excused.get(name, ()) for one in runs) for name, runs in found.items()) / len(found)


def table() -> str:
    """The generated part of the page."""
    lines = [BEGIN, "", "## Scripts of other stacks", "", "| folder | scripts | pass | pass where Linux 6.18 does |", "|---|---|---|---|"]
    failing = []
    for folder in FOLDERS:
        found = results(folder)
        lines.append(f"| `../shared/{folder}` | {len(found)} | {share(folder):.1%} | {share_of_linux(folder):.1%} |")
        failing += [(name, runs) for name, runs in found.items() if not all(one.passed for one in runs)]
    lines += ["", "Those that do not pass:" if failing else "All pass.", ""]
    if failing:
        lines += ["| script | why |", "|---|---|"]
    for name, runs in failing:
        linux = beyond_linux(name.partition("/")[0]).get(name, ())
        too = "; nor does Linux 6.18 there, as it is written" if all(one.passed or one.version in linux for one in runs) else ""
        lines.append(f"| `{name}` | {REASONS.get(name) or _why(runs)}{too} |")
    return "\n".join(lines) + "\n"


def _why(runs: list[Result]) -> str:
    failed = [one for one in runs if one.failure is not None]
    failure = failed[0].failure
    assert failure is not None
    where = "" if len(failed) == len(runs) else f" ({', '.join(one.version for one in failed)})"
    text = f"line {failure.place.line}: {failure.reason}{where}"
    if failure.expected or failure.actual:
        text += f"; `{failure.expected}`, it is `{failure.actual}`"
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page's list."""
    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    PAGE.write_text(head + table(), encoding="utf-8")


if __name__ == "__main__":
    main()
