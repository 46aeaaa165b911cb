"""The main job: the demo's capture under tshark. Nothing malformed, no bad checksum, no error, each warning a fault's; the file arrives.

The demo says what was done to each frame of the link; what tshark warns of is matched with that.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stack import TCP, IPv4, Packet, Trace
from stack.cli import demo as command
from stack.cli.command import cli
from stack.tcp.formats.options import SACK
from tests.test_samples import ERROR, OPTIONS, WARNING, tshark

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

RUNS = {
    "as it is": [],
    "other seed, more loss": ["--seed", "7", "--loss", "5%"],
    "every fault": ["--seed", "3", "--duplication", "1%", "--reordering", "1%", "--corruption", "0.5%"],
}


@dataclass(frozen=True)
class Demo:
    """A run: its capture, what it printed, and the trace of what entered the link, with the link's notes."""

    path: Path
    output: str
    sent: Trace
    faulty: bool


@pytest.fixture(scope="module", params=RUNS, ids=list(RUNS))
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    path = tmp_path_factory.mktemp("demo") / "demo.pcapng"
    seen: list[Trace] = []
    with pytest.MonkeyPatch.context() as patch:
        report: Callable[..., None] = command._report

        def watched(net: Any, sent: Trace, *rest: Any) -> None:
            seen.append(sent)
            report(net, sent, *rest)

        patch.setattr(command, "_report", watched)
        arguments = ["demo", "-o", str(path), *RUNS[request.param]]
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
    assert done.exit_code == 0, done.output
    return Demo(path, done.output, seen[0], "--corruption" in arguments)


def test_it_says_that_the_file_arrived_and_where_the_capture_is(demo: Demo) -> None:
    assert "the file      arrived intact" in demo.output
    assert demo.output.splitlines()[-1] == f"capture       {demo.path}"


def test_tshark_puts_the_file_together_byte_for_byte(demo: Demo, tmp_path: Path) -> None:
    command = ["tshark", "-q", "-n", "-r", str(demo.path), *OPTIONS, "--export-objects", f"http,{tmp_path}"]
    subprocess.run(command, capture_output=True, check=True)
    digest = demo.output.split("sha256")[1].split()[0]
    if demo.faulty:
        return  # tshark takes a damaged segment for a good one, if it comes before the repetition: nothing to hold it to
    (exported,) = tmp_path.iterdir()
    assert exported.stat().st_size == 1 << 20
    assert hashlib.sha256(exported.read_bytes()).hexdigest() == digest


def place(packet: Packet) -> tuple[int, int, int] | None:
    """Whose segment it is, where it begins and where it ends."""
    tcp = packet.get(TCP)
    if tcp is None:
        return None
    size = packet[IPv4].total_length - 20 - len(tcp) if isinstance(packet[IPv4].total_length, int) else len(packet.payload)
    return tcp.source, tcp.sequence, tcp.sequence + size + tcp.syn + tcp.fin


def hit(demo: Demo, *kinds: str) -> list[tuple[int, int, int]]:
    """The places of segments that the link did one of these to."""
    hits = (place(record.packet) for record in demo.sent if any(kind in (record.comment or "") for kind in kinds))
    return [one for one in hits if one is not None]


@dataclass
class Account:
    """What there was before a segment, and what the link has done: enough to say why tshark wonders."""

    lost: list[tuple[int, int, int]]
    hit: list[tuple[int, int, int]]
    seen: list[tuple[int, int, int]]

    def explains(self, message: str, packet: Packet) -> bool:
        """Is there a fault that makes tshark say this of this segment?"""
        found = place(packet)
        assert found is not None, message
        port, begin, end = found
        expected = max((one[2] for one in self.seen if one[0] == port), default=0)
        if message.startswith("Previous segment(s) not captured"):
            return any(one[0] == port and expected <= one[1] < begin for one in self.hit)
        if "out-of-order" in message:
            return any(one[0] == port and one[1] < end and begin < one[2] for one in self.hit)
        if message == "D-SACK Sequence":  # RFC 2883: what was received twice, since it was doubled, late, or its ACK was lost
            left, right = next(one.blocks.pairs()[0] for one in packet[TCP].options if isinstance(one, SACK))
            twice = [one for one in self.seen if one[0] != port and one[1] < right and left < one[2]]
            return (len(twice) > 1 and any(one in self.hit for one in twice)) or any(one[0] == port for one in self.lost)
        return False


def test_tshark_complains_of_nothing_but_the_faults(demo: Demo) -> None:
    account = Account(hit(demo, "fault: lost", "flipped"), hit(demo, "fault: lost", "flipped", "reordered", "duplicated"), [])
    records = Trace.read(demo.path)
    found = tshark(demo.path, "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "tcp.checksum.status", "ip.checksum.status")
    assert len(found) == len(records) > 700
    for record, (malformed, severities, messages, *checksums) in zip(records, found, strict=True):
        if "flipped" in (record.comment or ""):
            continue  # damaged under way: whatever is said of it is right
        assert not malformed, f"frame {record.number} is malformed"
        assert {status for one in checksums for status in one} <= {"1"}, f"frame {record.number} has a bad checksum"
        for severity, message in zip(map(int, severities), messages, strict=True):
            assert severity < ERROR, f"frame {record.number}: {message}"
            assert severity < WARNING or account.explains(message, record.packet), f"frame {record.number}: {message}"
        account.seen += filter(None, [place(record.packet)])
