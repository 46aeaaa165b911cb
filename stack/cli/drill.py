"""`packetstack drill`: packetdrill's scripts, run in this process in virtual time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from stack.cli.command import WRONG, cli, fail

if TYPE_CHECKING:
    from stack.testing.drill.run import Result, Setup


@cli.command(short_help="packetdrill's scripts, in virtual time.")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-v", "--verbose", is_flag=True, help="Scripts that pass, too.")
@click.option("--ip-version", "--ip_version", type=click.Choice(["ipv4", "ipv6", "ipv4-mapped-ipv6"]), help="Only this one.")
@click.option("-D", "--define", "defined", multiple=True, metavar="NAME=VALUE", help="A symbol of the scripts.")
@click.option("--tolerance-usecs", "--tolerance_usecs", type=click.IntRange(0), help="How far times may be off, unless a script says.")
@click.option("--profile", default="linux", show_default=True, type=click.Choice(["linux", "rfc"]), help="The host's TCP settings.")
@click.option("--pcap", type=click.Path(file_okay=False), metavar="FOLDER", help="Write a capture of each run there.")
@click.option("--junit", type=click.Path(dir_okay=False), metavar="FILE", help="Write the results as JUnit's XML.")
@click.option("-j", "--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--mutate", is_flag=True, help="Change one thing that each script expects: how many are rejected?")
@click.option("--kernel", is_flag=True, help="Against this machine's own Linux, in real time, in network namespaces (root).")
@click.option("--seed", default=1, show_default=True, help="Of the host's numbers, and of what --mutate changes.")
def drill(
    files: tuple[Path, ...], verbose: bool, ip_version: str | None, defined: tuple[str, ...], tolerance_usecs: int | None,
    profile: str, pcap: str | None, junit: str | None, jobs: int, mutate: bool, kernel: bool, seed: int,
) -> None:  # fmt: skip
    """Run packetdrill scripts (FILES, or all *.pkt in folders) against an emulated host.

    A script without --ip_version runs for ipv4, ipv6 and ipv4-mapped-ipv6. The exit code is 0 if all pass, 1 if some fail,
    2 if some are not in the language.

    \b
    packetstack drill tests/tcp/drills
    packetstack drill close.pkt -v --pcap captures
    packetstack drill --kernel close.pkt
    """
    from stack.testing.drill import report
    from stack.testing.drill.run import Setup, scripts

    symbols = []
    for one in defined:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is not NAME=VALUE", param_hint="-D")
        symbols.append((name, value))
    tolerance = None if tolerance_usecs is None else tolerance_usecs * 1000
    setup = Setup(profile, tuple(symbols), ip_version, tolerance, pcap, seed)
    found = scripts(list(files))
    if not found:
        fail(f"there are no *.pkt files in {', '.join(map(str, files))}")
    if kernel:
        _needs(mutate, profile)
    if mutate:
        _mutate(found, setup)
        return
    began = perf_counter()
    results = []
    for result in _run_on_kernel(found, setup, jobs) if kernel else _run(found, setup, jobs):
        results.append(result)
        if verbose or not result.passed:
            click.echo(report.line(result))
    click.echo(report.summary(results, perf_counter() - began))
    if junit is not None:
        report.junit(results, junit)
    failures = [result.failure for result in results if result.failure is not None]
    if failures:
        sys.exit(WRONG if any(failure.malformed for failure in failures) else 1)


def _run(files: list[Path], setup: Setup, jobs: int) -> Iterator[Result]:
    """The results, in the order of the files."""
    if jobs == 1:
        for path in files:
            yield from _one(setup, path)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for results in pool.map(partial(_one, setup), files, chunksize=8):
            yield from results


def _needs(mutate: bool, profile: str) -> None:
    """What --kernel needs, and what it has not."""
    from stack.testing.namespace import missing_device

    if mutate or profile != "linux":
        raise click.UsageError(f"{'--mutate' if mutate else f'--profile {profile}'} is for an emulated host, not for --kernel")
    lacking = missing_device()
    if lacking:
        fail(f"--kernel runs scripts against this machine's Linux, in network namespaces with TUN devices: {lacking}")


def _run_on_kernel(files: list[Path], setup: Setup, jobs: int) -> Iterator[Result]:
    from stack.testing.drill.kernel_run import run_all

    return run_all(files, setup, jobs)


def _one(setup: Setup, path: Path) -> list[Result]:
    from stack.testing.drill.run import run_file

    return list(run_file(path, setup))


def _mutate(files: list[Path], setup: Setup) -> None:
    from stack.testing.drill.run import survivors

    tried = 0
    missed = []
    for path in files:
        count, survived = survivors(path, setup)
        tried += count
        missed += survived
    for one in missed:
        click.echo(f"not rejected: {one}")
    share = 100 * (tried - len(missed)) / tried if tried else 0
    click.echo(f"{tried - len(missed)} of {tried} changed scripts rejected ({share:.1f} %)")
    if not tried or missed:
        sys.exit(1)
