"""A fuzzer: scenarios from a seed, played with this machine's kernel and with a host of ours; what differs is made small and shown.

    sudo python -m tests.tap.fuzz [--seconds 60] [--seed 1] [--workers 6] [--only SEED] [--out DIRECTORY]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.tap.fuzz.compare import Difference, difference, lay_out
from tests.tap.fuzz.emulator import Emulator
from tests.tap.fuzz.kernel import Device, Kernel
from tests.tap.fuzz.peer import Peer
from tests.tap.fuzz.scenario import DEFAULTS, Maker, Scenario
from tests.tap.fuzz.wire import Flow
from tests.tap.fuzz.world import Record, Step

LIMITS = {f"net.core.{name}": Path(f"/proc/sys/net/core/{name}").read_text().strip() for name in ("rmem_max", "wmem_max")}  # the machine's


class Played:
    def __init__(self, kernel: list[Record], ours: list[Record], steps: list[Record]) -> None:
        self.kernel, self.ours, self.steps = kernel, ours, steps
        self.difference: Difference | None = difference(kernel, ours)


class Player:
    """Plays scenarios one after the other, each with a peer of its own."""

    def __init__(self, number: int) -> None:
        self.device = Device(DEFAULTS)
        self.number = number
        self.played = 0

    def play(self, scenario: Scenario) -> Played:
        self.played += 1
        flow = Flow(bytes([10, self.number, self.played >> 8 & 255, self.played & 255]), 50000)
        kernel, settled = self._kernel(scenario, flow)
        ours = self._ours(settled, Flow(flow.remote, 50000))
        return Played(kernel, ours, [(at / 1e9, "step", _say(step)) for at, step in settled])

    def _kernel(self, scenario: Scenario, flow: Flow) -> tuple[list[Record], list[tuple[int, Step]]]:
        self.device.drain()
        world = Kernel(flow, self.device)
        peer = Peer(scenario)
        world.heard = peer.hear
        settled: list[tuple[int, Step]] = []
        due = 0
        os.setpriority(os.PRIO_PROCESS, 0, -5)
        for step in scenario["steps"]:
            due = max(due + int(step["after"] * 1e9), world.now() if step["after"] == 0 else 0)
            world.wait(due)
            due = now = world.now()
            numbers = peer.settle(step, now)
            settled.append((now, numbers))
            world.do(numbers)
        world.flush()
        log = list(world.log)
        world.finish()
        world.do(peer.settle({"op": "gather"}, world.now()))
        self.device.restore()
        os.setpriority(os.PRIO_PROCESS, 0, 3)
        return log, settled

    def _ours(self, settled: list[tuple[int, Step]], flow: Flow) -> list[Record]:
        world = Emulator(flow, {**DEFAULTS, **LIMITS})
        with world.network, world.host:
            world.began = world.network.now
            try:
                for now, step in settled:
                    world.wait(now)
                    world.do(step)
                world.flush()
            except Exception as error:
                world.log.append((world.now() / 1e9, "result", f"raised {type(error).__name__}: {error} {_where(error)}"))
            log = list(world.log)
            world.finish()
        return log


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace is not None else ""


def _say(step: Step) -> str:
    if step["op"] == "segment":
        return str(step["segment"])
    return f"{step['op']} " + " ".join(f"{name}={value}" for name, value in step.items() if name not in ("op", "after"))


def confirmed(player: Player, scenario: Scenario, times: int = 3) -> Played | None:
    """The difference, if every one of several runs has it; the last of them."""
    signature = None
    last = None
    for _ in range(times):
        last = player.play(scenario)
        if last.difference is None or (signature is not None and last.difference.signature != signature):
            return None
        signature = last.difference.signature
    return last


def smaller(player: Player, scenario: Scenario, signature: str) -> Scenario:
    """Without the steps that the difference does not need."""
    steps = list(scenario["steps"])
    last = player.play(scenario)
    size = max(1, len(steps) // 4)
    while size:
        at = len(steps) - size
        while at >= 0:
            tried = {**scenario, "steps": steps[:at] + steps[at + size :]}
            try:
                found = all((run := player.play(tried)).difference is not None and run.difference.signature == signature for _ in range(2))
            except (AssertionError, OSError):
                found = False
            if found:
                steps = tried["steps"]
            at -= size
        size //= 2
    del last
    return {**scenario, "steps": steps}


def work(number: int, seeds: Any, results: Any) -> None:
    player = Player(number)
    while True:
        seed = seeds.get()
        if seed is None:
            results.put(None)
            return
        try:
            results.put(examine(player, seed))
        except Exception as error:  # one scenario's trouble is not the others'
            player.device.restore()
            results.put((seed, f"trouble {type(error).__name__}: {error} {_where(error)}", None))


_known: dict[str, int] = {}


def examine(player: Player, seed: str) -> tuple[str, str | None, Any]:
    scenario = Maker(seed).scenario()
    if player.play(scenario).difference is None:
        return seed, None, None
    found = confirmed(player, scenario)
    if found is None or found.difference is None:
        return seed, "unsteady", None
    signature = found.difference.signature
    _known[signature] = _known.get(signature, 0) + 1
    if _known[signature] > 1:
        return seed, signature, None
    small = smaller(player, scenario, signature)
    again = player.play(small)
    text = lay_out(again.steps, again.kernel, again.ours, again.difference) if again.difference else "unsteady once small"
    return seed, signature, (small, text)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="tests.tap.fuzz")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", default="1")
    arguments.add_argument("--workers", type=int, default=6)
    arguments.add_argument("--only", help="one scenario's seed, shown whole")
    arguments.add_argument("--replay", help="a scenario's file")
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    if given.only or given.replay:
        return one(json.loads(Path(given.replay).read_text()) if given.replay else Maker(given.only).scenario())
    context = multiprocessing.get_context("fork")
    seeds, results = context.Queue(2 * given.workers), context.Queue()
    workers = [context.Process(target=work, args=(number, seeds, results), daemon=True) for number in range(1, given.workers + 1)]
    for worker in workers:
        worker.start()
    until = time.monotonic() + given.seconds
    count, finished, asked = 0, 0, 0
    kinds: Counter[str] = Counter()
    while finished < len(workers):
        while not seeds.full() and time.monotonic() < until:
            seeds.put(f"{given.seed}.{asked}")
            asked += 1
        if time.monotonic() >= until and asked >= 0:
            for _ in workers:
                seeds.put(None)
            asked = -1
        try:
            result = results.get(timeout=1)
        except Exception:
            continue
        if result is None:
            finished += 1
            continue
        seed, signature, small = result
        count += 1
        if signature is not None:
            kinds[signature] += 1
            if signature.startswith("trouble") or small is not None:
                print(f"== {seed}: {signature}", flush=True)
            if small is not None:
                scenario, text = small
                print(text, flush=True)
                if given.out:
                    given.out.mkdir(parents=True, exist_ok=True)
                    (given.out / f"{seed}.json").write_text(json.dumps(scenario, indent=1))
                    (given.out / f"{seed}.txt").write_text(f"{seed}: {signature}\n{text}\n")
    print(f"{count} scenarios, {sum(kinds.values())} differ")
    for signature, number in kinds.most_common():
        print(f"{number:5} {signature}")
    return 1 if kinds else 0


def one(scenario: Scenario) -> int:
    player = Player(200)
    played = player.play(scenario)
    found = played.difference or Difference(len(played.kernel), "same", "")
    print(found.signature)
    print(lay_out(played.steps, played.kernel, played.ours, found))
    return 1 if played.difference else 0


if __name__ == "__main__":
    sys.exit(main())
