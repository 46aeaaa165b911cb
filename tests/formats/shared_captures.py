"""The captures of public test suites that stand beside the repository, and what tshark says about them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from stack.capture.error import CaptureError
from stack.capture.frame import Frame
from stack.capture.reader import CaptureFile

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "captures"
PATHS = sorted(path for path in FOLDER.glob("*/*.pcap*")) if FOLDER.is_dir() else []
each_capture = pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
needs_captures = pytest.mark.skipif(not PATHS, reason="no folder ../shared/captures beside the repository")


@cache
def frames(path: Path) -> tuple[Frame, ...]:
    """All frames before any damage of the file."""
    try:
        file = CaptureFile(str(path))
    except CaptureError:
        return ()
    return tuple(file.frame(index) for index in range(len(file)))


ERROR = 0x800000  # a severity of tshark's expert information


class Dissection(NamedTuple):
    """What tshark says about a frame: its protocols, and whether it is damaged or cut."""

    protocols: list[str]
    whole: bool


def dissections(path: Path) -> Iterator[Dissection]:
    """tshark's view of each frame by itself: nothing reassembled."""
    options = [f"-o{name}:FALSE" for name in ("ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams")]
    columns = ("frame.protocols", "_ws.malformed", "frame.cap_len", "frame.len", "_ws.expert.severity")
    command = ["tshark", "-n", "-r", str(path), *options, "-Tfields", *(f"-e{name}" for name in columns)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    for line in result.stdout.splitlines():
        protocols, malformed, captured, length, severities = line.split("\t")
        damaged = malformed or captured != length or any(int(one) >= ERROR for one in severities.split(",") if one)
        yield Dissection(protocols.split(":"), not damaged)
