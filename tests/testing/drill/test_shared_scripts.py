"""Every script, of the project and of the collections beside it, is read, and says the same after being printed."""

from pathlib import Path

import pytest

from stack.testing.drill.parser import parse, parse_file
from stack.testing.drill.printer import show
from stack.testing.drill.script import Segment

SHARED = Path(__file__).resolve().parents[4] / "shared"
FOLDERS = ("packetdrill", "packetdrill-relaxed", "packetdrill-originals")
SYMBOLS = {"TFO_COOKIE": "3021b9d889017eeb", "TFO_COOKIE_ZERO": "b7c12350a90dc8f5", "CODE": "host_unreachable"}
OWN = sorted((Path(__file__).resolve().parents[2] / "tcp" / "drills").rglob("*.pkt"))
SCRIPTS = [path for folder in FOLDERS for path in sorted((SHARED / folder).rglob("*.pkt"))]

shared = pytest.mark.skipif(not SCRIPTS, reason="../shared/packetdrill is not here")

def test_the_project_s_own_scripts_are_read() -> None:
    assert len(OWN) >= 30
    for path in OWN:
        script = parse_file(path)
        assert parse(show(script)) == script


@shared
@pytest.mark.parametrize("folder", FOLDERS)
def test_all_scripts_are_read(folder: str) -> None:
    scripts = [path for path in SCRIPTS if path.relative_to(SHARED).parts[0] == folder]
    assert scripts
    for path in scripts:
        script = parse_file(path, SYMBOLS)
        packets = [one for one in script.events if isinstance(getattr(one.action, "body", None), Segment)]
        assert packets or "udp" in path.name or "close" in path.name, path


@shared
def test_printed_they_read_the_same() -> None:
    for path in SCRIPTS:
        script = parse_file(path, SYMBOLS)
        assert parse(show(script), str(path)) == script
