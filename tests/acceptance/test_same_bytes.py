"""The same seed gives the same captures, to the byte: twice, by every hash seed, Python and wire mode, with and without prediction."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from stack import Trace
from tests.acceptance import scenario
from tests.test_samples import interpreter

ROOT = Path(__file__).resolve().parents[2]


def made(folder: Path, python: str = sys.executable, **environment: str) -> dict[str, bytes]:
    """The scenario's captures, made by another process. Our dependencies are pure Python: any interpreter can import them."""
    paths = os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))
    done = subprocess.run(
        [python, "-m", "tests.acceptance.scenario", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(tmp_path_factory.mktemp("first"), PYTHONHASHSEED="0", STACK_WIRE="objects")


def same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    """Not `one == other`: pytest would explain the difference of megabytes."""
    assert list(one) == list(other) == sorted(f"{name}.pcapng" for name in ("a", "b", "network", "router", "server"))
    for name, data in one.items():
        other_data = other[name]
        if data != other_data:
            place = next((n for n, (x, y) in enumerate(zip(data, other_data, strict=False)) if x != y), min(len(data), len(other_data)))
            pytest.fail(f"{name} differs from octet {place} of {len(data)} and {len(other_data)} on")


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "STACK_WIRE": "objects"},
        {"PYTHONHASHSEED": "4711", "STACK_WIRE": "objects"},
        {"PYTHONHASHSEED": "random", "STACK_WIRE": "bytes"},
        {"STACK_TCP_PREDICTION": "0"},
    ],
    ids=lambda one: ",".join("=".join(item) for item in one.items()),
)
def test_the_same_in_every_environment(environment: dict[str, str], first: dict[str, bytes], tmp_path: Path) -> None:
    same(first, made(tmp_path, **environment))


@pytest.mark.parametrize("version", [one for one in ("3.11", "3.12", "3.13", "3.14") if not sys.version.startswith(one)])
def test_the_same_under_every_python(version: str, first: dict[str, bytes], tmp_path: Path) -> None:
    same(first, made(tmp_path, interpreter(version), PYTHONHASHSEED="1"))


def test_the_same_in_a_process_that_has_done_other_things(first: dict[str, bytes], tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        scenario.make(tmp_path / name)
    same({path.name: path.read_bytes() for path in sorted((tmp_path / "one").iterdir())}, first)
    same({path.name: path.read_bytes() for path in sorted((tmp_path / "two").iterdir())}, first)


def test_there_is_a_bit_of_everything_in_it(tmp_path: Path, first: dict[str, bytes]) -> None:
    (tmp_path / "network.pcapng").write_bytes(first["network.pcapng"])
    trace = Trace.read(tmp_path / "network.pcapng")
    comments = "\n".join(record.comment or "" for record in trace)
    for said in ("fault: lost", "fault: duplicated", "fault: reordered", "flipped", "fault: partitioned", "fault: link down", "fast retransmit"):
        assert said in comments, said
    for wanted in ("ipv6 && tcp", "ip && tcp", "udp", "icmp", "icmpv6.type == 3", "arp", "ip.flags.mf == 1", "tcp.options.sack_le"):
        assert trace.filter(wanted), wanted
