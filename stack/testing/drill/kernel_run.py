"""Runs scripts against this machine's kernel: each in a process and a network namespace of its own, several at a time."""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from stack.socket.switch import uninstall
from stack.testing.drill import kernel_calls
from stack.testing.drill.kernel_host import KernelHost
from stack.testing.drill.player import Player
from stack.testing.drill.profile import profile
from stack.testing.drill.run import PLAIN, Failure, Result, Setup, capture_name, run_script, run_variant, variants
from stack.testing.drill.script import Script, ScriptError

Work = tuple[Path, str]  # a script, and the IP version in which it is run


def run_all(files: Sequence[Path], setup: Setup = PLAIN, jobs: int = 1) -> Iterator[Result]:
    """The results in the order of the files, `jobs` runs at a time. Raises `OSError` where there can be no namespace.

    Whatever ends it, nothing is left: a run's process is killed with this one, a namespace ends with its process, and with
    the namespace its device.
    """
    found: dict[int, Result] = {}
    waiting: list[tuple[int, Work]] = []
    for path in files:
        try:
            versions = variants(path, setup)
        except ScriptError as error:
            found[len(found) + len(waiting)] = Result(str(path), setup.version or "", Failure.of(error, malformed=True), 0.0)
            continue
        for version in versions:
            waiting.append((len(found) + len(waiting), (path, version)))
    waiting.reverse()
    running: dict[int, tuple[int, int, Work, list[bytes]]] = {}  # file of the answer → place in the order, process, …
    told = 0
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                index, work = waiting.pop()
                process, answer = _start(work, setup)
                running[answer] = index, process, work, []
            for answer in select.select(list(running), (), ())[0]:
                index, process, work, pieces = running[answer]
                piece = os.read(answer, 1 << 16)
                pieces.append(piece)
                if not piece:
                    del running[answer]
                    os.close(answer)
                    os.waitpid(process, 0)
                    found[index] = _result(work, b"".join(pieces))
            while told in found:
                yield found[told]
                told += 1
    finally:
        for answer, (_, process, _, _) in running.items():
            os.close(answer)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    while told in found:
        yield found[told]
        told += 1


def _result(work: Work, answer: bytes) -> Result:
    """What a run's process said; one that said nothing has been killed."""
    if not answer:
        return Result(str(work[0]), work[1], Failure("the run's process was killed"), 0.0)
    result = pickle.loads(answer)
    if isinstance(result, OSError):
        raise result
    assert isinstance(result, Result)
    return result


def _start(work: Work, setup: Setup) -> tuple[int, int]:
    """A process for a run, and the file from which its result can be read."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        os.close(reading)
        answer = pickle.dumps(_run(work, setup))
        with open(writing, "wb") as file:
            file.write(answer)
        status = 0
    except BaseException:  # nothing of it may go on in this process, which is a copy of another
        traceback.print_exc()
    finally:
        os._exit(status)


def _run(work: Work, setup: Setup) -> Result | OSError:
    """In the run's own process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        kernel_calls.die_with_parent()
        kernel_calls.own_network()
    except OSError as error:
        return OSError(error.errno, f"no network namespace: {error.strerror}")
    gc.disable()
    path, version = work
    return run_variant(path, version, setup, play)


def play(script: Script, version: str, setup: Setup = PLAIN) -> None:
    """Play a script against the kernel, in the namespace in which this process is. Raises `Mismatch`, `ScriptError`."""
    made = profile(script, version, setup.tolerance)
    with suppress(Exception):  # a rehearsal: nothing is loaded, or generated, for the first time while time counts
        run_script(script, version, replace(setup, captures=None))
    uninstall()  # in this process nobody is on an emulated host any more: the library's own functions are quicker
    with suppress(OSError):  # where there are no rights to it, a busy machine makes the script late, which is then said
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # as packetdrill's, and of all threads from here on
    host = KernelHost(made, record=setup.captures is not None)
    try:
        Player(host, script, made).play()
    finally:
        if setup.captures is not None:
            host.tun.write_capture(capture_name(setup.captures, script, made))
        host.end()
