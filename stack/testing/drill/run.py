"""Runs scripts in each of their IP versions, each against a host of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from stack.lab.network import Network
from stack.tcp.settings import TcpSettings
from stack.testing.drill.emulated_host import EmulatedHost
from stack.testing.drill.mismatch import Mismatch, busy, seconds
from stack.testing.drill.parser import parse
from stack.testing.drill.place import NOWHERE, Place
from stack.testing.drill.player import Player
from stack.testing.drill.profile import Profile, profile, versions
from stack.testing.drill.script import Script, ScriptError

PROFILES = {"linux": TcpSettings.linux, "rfc": TcpSettings.rfc}


@dataclass(frozen=True, slots=True)
class Setup:
    """How scripts are run: the TCP of the host, what the user defines, tolerance in nanoseconds (None: the script's)."""

    tcp: str = "linux"
    symbols: tuple[tuple[str, str], ...] = ()
    version: str | None = None
    tolerance: int | None = None
    captures: str | None = None  # a folder for the captures of all runs
    seed: int = 1


PLAIN = Setup()
Play = Callable[[Script, str, Setup], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed. `malformed`: the script is not in the language. `time` in nanoseconds since it began, or None."""

    reason: str
    expected: str = ""
    actual: str = ""
    place: Place = NOWHERE
    time: int | None = None
    malformed: bool = False
    late: int = 0  # ns: how late the script itself was, in real time

    @classmethod
    def of(cls, trouble: Mismatch | ScriptError, malformed: bool = False) -> Failure:
        """What an exception says."""
        if isinstance(trouble, ScriptError):
            return cls(trouble.reason, place=trouble.place, malformed=malformed)
        return cls(trouble.reason, trouble.expected, trouble.actual, trouble.place, trouble.time, late=trouble.late)

    def __str__(self) -> str:
        """The script's line, and what was expected above what came."""
        text = self.reason + ("" if self.time is None else f", {seconds(self.time)} s after the start")
        if self.place is not NOWHERE:
            text = f"{self.place}: {text}"
        for name, value in (("expected", self.expected), ("  actual", self.actual)):
            if value:
                text += f"\n  {name}: {value}"
        return text + busy(self.late, "\n  ")


@dataclass(frozen=True, slots=True)
class Result:
    """One run: `failure` is None if it passed. `duration` in seconds of real time."""

    name: str
    version: str
    failure: Failure | None
    duration: float

    @property
    def passed(self) -> bool:
        """Whether the host did all that the script says."""
        return self.failure is None


def read(path: Path) -> str:
    """A script's text, whatever its comments are written in."""
    return path.read_bytes().decode("utf-8", "replace")


def scripts(paths: list[Path]) -> list[Path]:
    """The scripts among files and folders, in order."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.pkt")) if path.is_dir() else [path]
    return found


def run_file(path: Path, setup: Setup = PLAIN) -> Iterator[Result]:
    """A file, in each of its IP versions."""
    try:
        wanted = variants(path, setup)
    except ScriptError as error:
        yield Result(str(path), setup.version or "", Failure.of(error, malformed=True), 0.0)
        return
    for version in wanted:
        yield run_variant(path, version, setup)


def variants(path: Path, setup: Setup = PLAIN) -> tuple[str, ...]:
    """The IP versions that a file runs in. Raises `ScriptError`, `OSError`."""
    return versions(load(path, "ipv6", setup), setup.version)  # so that a cookie of IPv4 is one that stands in the text


def load(path: Path, version: str, setup: Setup = PLAIN) -> Script:
    """The script in a file, as it is for an IP version. Raises `ScriptError`, `OSError`."""
    symbols = profile(Script(), version).symbols | dict(setup.symbols)
    return parse(read(path), str(path), symbols)


def run_variant(path: Path, version: str, setup: Setup = PLAIN, play: Play | None = None) -> Result:
    """A file in one IP version; `play` runs it against something else than an emulated host."""
    began = perf_counter()
    try:
        script = load(path, version, setup)
    except ScriptError as error:
        return Result(str(path), version, Failure.of(error, malformed=True), perf_counter() - began)
    failure = None
    try:
        (play or run_script)(script, version, setup)
    except (Mismatch, ScriptError) as trouble:
        failure = Failure.of(trouble)
    except Exception as trouble:  # a fault of ours, which must not hide what comes of the other scripts
        failure = Failure(f"the run broke off: {type(trouble).__name__}: {trouble}")
    return Result(str(path), version, failure, perf_counter() - began)


def run_script(script: Script, version: str, setup: Setup = PLAIN) -> None:
    """Play a script in one IP version. Raises `Mismatch`, `ScriptError`."""
    made = profile(script, version, setup.tolerance)
    with Network(setup.seed) as network:
        host = network.host("host", tcp=PROFILES[setup.tcp]().replace(offload_segment=made.offload))
        player = Player(EmulatedHost(host, made), script, made)
        if setup.captures is None:
            player.play()
            return
        with host.capture(capture_name(setup.captures, script, made), drain=False):
            player.play()


def capture_name(folder: str, script: Script, made: Profile) -> Path:
    """The file of a run's capture: the script's name and its IP version."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    stem = "-".join(Path(script.name).with_suffix("").parts[-3:]).lstrip("/-")
    return Path(folder, f"{stem}-{made.version}.pcapng")


def survivors(path: Path, setup: Setup = PLAIN, count: int = 1) -> tuple[int, list[str]]:
    """Of a script that passes, changed `count` times: how many changes were tried, and which were not rejected."""
    from stack.testing.drill.mutate import mutants

    tried, missed = 0, []
    for version in variants(path, setup)[:1]:
        if not run_variant(path, version, setup).passed:
            continue
        for what, mutant in mutants(load(path, version, setup), setup.seed, count):
            tried += 1
            try:
                run_script(mutant, version, setup)
            except (Mismatch, ScriptError):
                continue
            missed.append(what)
    return tried, missed
