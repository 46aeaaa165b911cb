"""The samples in pcaps/: made again to the byte, by other hash seeds, wire modes and Pythons; without complaint from tshark."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from stack import Trace

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = sorted(path.stem for path in (ROOT / "pcaps").glob("[a-z]*.py"))

OUT_OF_ORDER = "This frame is a (suspected) out-of-order segment"  # what tshark calls a retransmission that comes soon
EXPLAINED = {  # the warnings of tshark, and why they are as they should be
    "http_over_loss": {OUT_OF_ORDER},  # frames are lost, and sent again
    "path_mtu_discovery": {OUT_OF_ORDER},  # segments are too large, and sent again in smaller ones
    "selective_acknowledgment": {OUT_OF_ORDER, "D-SACK Sequence"},  # one segment is lost; one is late, and sent twice
    "simultaneous_open": {"D-SACK Sequence"},  # each SYN comes again, in the SYN,ACK
    "spurious_timeout": {"D-SACK Sequence"},  # what was sent for nothing came twice
    "gone_silent": {"Connection reset (RST)"},  # keep-alive's last word
    "reset_of_a_closed_port": {"Connection reset (RST)"},  # the port is closed
    "zero_window": {  # the reader does not read
        "TCP Zero Window segment",
        "TCP window specified by the receiver is now completely full",
    },
}
WARNING, ERROR = 0x600000, 0x800000  # severities of tshark's expert information
CHECKS = ("tcp.check_checksum", "ip.check_checksum", "udp.check_checksum", "tcp.reassemble_out_of_order")
OPTIONS = [word for check in CHECKS for word in ("-o", f"{check}:TRUE")]

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def generator(name: str) -> ModuleType:
    return import_module(f"pcaps.{name}")


def kept() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((ROOT / "pcaps").glob("*.pcap*"))}


def tshark(path: Path, *fields: str) -> list[list[list[str]]]:
    """Of each packet, the values of each field."""
    wanted = [word for field in fields for word in ("-e", field)]
    command = ["tshark", "-n", "-r", str(path), *OPTIONS, *wanted, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [[[one for one in cell.split("|") if one] for cell in line.split("\t")] for line in text.splitlines()]


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_made_again_to_the_byte(name: str, tmp_path: Path) -> None:
    sample = generator(name).SAMPLE
    generator(name).make(tmp_path / sample.name)
    assert (tmp_path / sample.name).read_bytes() == sample.read_bytes(), f"make it again: python -m pcaps.{name}"


def test_each_capture_has_its_generator_and_its_line_in_the_table() -> None:
    assert list(kept()) == sorted(generator(name).SAMPLE.name for name in SAMPLES)
    table = (ROOT / "pcaps" / "README.md").read_text()
    for name in SAMPLES:
        assert f"| [{name}]({generator(name).SAMPLE.name}) |" in table


def test_every_filter_of_the_table_finds_something() -> None:
    for line in (ROOT / "pcaps" / "README.md").read_text().splitlines():
        if line.startswith("| ["):
            filters = re.findall(r"`([^`]+)`", line.rsplit(" | ", 1)[1])
            assert filters
            for expression in filters:
                assert Trace.read(generator(line[3:].split("]")[0]).SAMPLE).filter(expression.replace("\\|", "|")), line


def different(made: dict[str, bytes]) -> list[str]:
    """The samples that are not as they are kept."""
    return [name for name, data in kept().items() if made.get(name) != data]


def run_all(python: str, folder: Path, **environment: str) -> dict[str, bytes]:
    """Every sample, made by another process. Our dependencies are pure Python: any interpreter can import them."""
    paths = os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [python, "-m", "pcaps", str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "1"}, {"STACK_WIRE": "bytes"}, {"STACK_TCP_PREDICTION": "0"}, {"TZ": "Asia/Tokyo"}],
    ids=lambda one: "=".join(*one.items()),
)
def test_samples_are_the_same_whatever_the_environment(environment: dict[str, str], tmp_path: Path) -> None:
    assert different(run_all(sys.executable, tmp_path, **environment)) == []


def interpreter(version: str) -> str:
    """A Python of this version, from the path or from pyenv; skips where there is none."""
    candidates = [shutil.which(f"python{version}"), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for candidate in map(str, filter(None, candidates)):
        question = [candidate, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
        asked = subprocess.run(question, capture_output=True, text=True, check=False)
        if asked.stdout.strip() == version:
            return candidate
    pytest.skip(f"no Python {version} here")


@pytest.mark.parametrize("version", [one for one in ("3.11", "3.12", "3.13", "3.14") if not sys.version.startswith(one)])
def test_samples_are_the_same_under_every_python(version: str, tmp_path: Path) -> None:
    assert different(run_all(interpreter(version), tmp_path, PYTHONHASHSEED="2")) == []


@needs_tshark
@pytest.mark.parametrize("name", SAMPLES)
def test_tshark_has_no_complaint_that_the_sample_does_not_explain(name: str) -> None:
    found = tshark(generator(name).SAMPLE, "frame.number", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message")
    warnings = set()
    for number, malformed, severities, messages in found:
        assert not malformed, f"frame {number} is malformed"
        for severity, message in zip(map(int, severities), messages, strict=True):
            assert severity < ERROR, f"frame {number}: {message}"
            if severity >= WARNING:
                warnings.add(message)
    assert found
    assert warnings == EXPLAINED.get(name, set())


@needs_tshark
def test_tshark_puts_the_page_together_that_the_server_sent(tmp_path: Path) -> None:
    sent = generator("http_over_loss")
    command = ["tshark", "-q", "-n", "-r", str(sent.SAMPLE), *OPTIONS, "--export-objects", f"http,{tmp_path}"]
    subprocess.run(command, capture_output=True, check=True)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [sent.PAGE]


def test_whatever_is_lost_says_so() -> None:
    trace = Trace.read(generator("http_over_loss").SAMPLE)
    lost = [record for record in trace if "lost on the link" in (record.comment or "")]
    again = [record for record in trace if "retransmi" in (record.comment or "")]
    assert lost[0].number < again[0].number
