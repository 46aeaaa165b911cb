"""Mutation testing of `stack/tcp` with cosmic-ray: does a test fail when the code is wrong? `make mutate`.

A seeded sample of places is drawn, one mutant at each; every mutant is written into a copy of the tree, and the tests that come
past the place run there (all of them, where it runs at import). Annotations and names of types are left alone, since a mutant
there changes nothing that runs.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

TOP = Path(__file__).resolve().parents[1]
ROOM = Path("stack/tcp")
TESTS = (
    "tests/tcp",
    "tests/host",
    "tests/tap/test_counters.py::test_what_a_story_is_about",
    "tests/socket",
    "tests/test_samples.py::test_sample_is_made_again_to_the_byte",
    "tests/testing/drill/test_python.py",
    "tests/testing/drill/test_shared_runs.py",
    "tests/lab",
)
COPIED = ("stack", "tests", "pcaps", "pyproject.toml", "docs")
LEFT_OUT = {
    "core/VariableInserter", "core/VariableReplacer",  # want arguments
    "core/ReplaceComparisonOperator_Is_Eq", "core/ReplaceComparisonOperator_IsNot_NotEq",  # the same for None and for states
}  # fmt: skip
SECONDS = 240  # of processor time: a mutant that keeps the tests busy for longer is dead, it waits for something that never comes


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change: the `occurrence`th place in `path` where `operator` applies."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int


def untested(tree: ast.AST) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Ranges (line, column) of what never runs: annotations, `if TYPE_CHECKING`, `__slots__`, aliases of types."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found += [node.returns] if node.returns else []
            given = node.args
            found += [a.annotation for a in (*given.posonlyargs, *given.args, *given.kwonlyargs) if a.annotation]
        elif isinstance(node, ast.AnnAssign):
            found.append(node.annotation)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            found.append(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "cast":
            found.append(node.args[0])
    return [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in found]  # type: ignore[attr-defined]


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of a file that can make a difference."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.plugins import get_operator, operator_names

    parsed = get_ast_from_path(TOP / path)
    dead = untested(ast.parse((TOP / path).read_text()))
    mutants = []
    for name in sorted(set(operator_names()) - LEFT_OUT):
        operator = get_operator(name)()
        count = 0
        for node in ast_nodes(parsed):
            for (line, column), _ in operator.mutation_positions(node):
                if not any(first <= (line, column) < last for first, last in dead):
                    mutants.append(Mutant(str(path), line, column, name, count))
                count += 1
    return mutants


def sample(files: list[Path], count: int, seed: int) -> list[Mutant]:
    """`count` places, each with one of the mutants that it allows."""
    places: dict[tuple[str, int, int], list[Mutant]] = {}
    for file in files:
        for mutant in mutants_of(file):
            places.setdefault((mutant.path, mutant.line, mutant.column), []).append(mutant)
    draw = random.Random(seed)
    drawn = draw.sample(sorted(places), min(count, len(places)))
    return [draw.choice(places[place]) for place in drawn]


def change(mutant: Mutant) -> tuple[str, str]:
    """The file's text before and after."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    before = (TOP / mutant.path).read_text()
    after = mutate_code(before, get_operator(mutant.operator)(), mutant.occurrence)
    if after is None:
        raise LookupError(f"{mutant} is no mutant")
    return before, after


def run_tests(tree: Path, tests: Sequence[str], seconds: int = SECONDS) -> subprocess.CompletedProcess[str]:
    """The tests in a tree, up to the first that fails; ended by SIGXCPU or by `TimeoutExpired` where they do not end."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    settings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))

    return subprocess.run(
        command, cwd=tree, capture_output=True, text=True, timeout=10 * seconds, check=False, env=settings, preexec_fn=bound
    )


class Passing:
    """Which tests come past a line: found by running them once, unchanged, under coverage.py."""

    def __init__(self, tree: Path, tests: Sequence[str]) -> None:
        from coverage import CoverageData

        self.tests = tests
        unchanged = run_tests(tree, ["--cov=stack/tcp", "--cov-context=test", "--cov-report=", *tests], 10 * SECONDS)
        if unchanged.returncode:
            raise RuntimeError(unchanged.stdout[-3000:] + "\nthe tests fail without any mutant")
        self.data = CoverageData(str(tree / ".coverage"))
        self.data.read()
        self.tree = tree

    def by(self, mutant: Mutant) -> Sequence[str]:
        """The tests that run the statement of a mutant, in their order."""
        lines = self.data.contexts_by_lineno(str((self.tree / mutant.path).resolve()))
        tree = ast.parse((TOP / mutant.path).read_text())
        if not any(inside(mutant.line, node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            return self.tests
        first, last = statement_at(tree, mutant.line)
        contexts = {context.partition("|")[0] for line in range(first, last + 1) for context in lines.get(line, ())}
        return sorted(contexts - {""}, key=self._order)

    def _order(self, test: str) -> tuple[int, str]:
        return next((place for place, start in enumerate(self.tests) if test.startswith(start)), len(self.tests)), test


def inside(line: int, function: ast.FunctionDef) -> bool:
    """Whether a line is of a function's body, which runs when it is called."""
    return function.body[0].lineno <= line <= (function.end_lineno or 0)


def statement_at(tree: ast.AST, line: int) -> tuple[int, int]:
    """The lines of the innermost statement that holds a line; of a compound one, those of its head."""
    found = (line, line)
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body and isinstance(node, ast.stmt) else node.end_lineno or line
            found = (node.lineno, max(node.lineno, last))
    return found


def fate(mutant: Mutant, tree: Path, tests: Sequence[str]) -> tuple[str, str]:
    """What became of a mutant ("killed", "timed out", "survived") and its change."""
    before, after = change(mutant)
    difference = "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), mutant.path, mutant.operator, "", "", 1, ""))
    if not tests:
        return "survived", difference + "\n(no test comes past it)"
    file = tree / mutant.path
    file.write_text(after)
    try:
        code = run_tests(tree, tests).returncode
        outcome = "survived" if code == 0 else "timed out" if code in (-signal.SIGXCPU, -signal.SIGKILL) else "killed"
    except subprocess.TimeoutExpired:
        outcome = "timed out"
    finally:
        file.write_text(before)
    return outcome, difference


def copy_tree(to: Path) -> Path:
    """A copy of what the tests need."""
    tree = to / "tree"
    for name in COPIED:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            tree.mkdir(exist_ok=True)
            shutil.copy(source, tree / name)
    if (TOP.parent / "shared").exists():
        (to / "shared").symlink_to((TOP.parent / "shared").resolve())
    return tree


def main() -> int:
    """Run a sample; exit code 1 if fewer than `--floor` of the mutants die."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("files", nargs="*", type=Path, help=f"default: all of {ROOM}, its formats left out")
    options.add_argument("--count", type=int, default=400)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options.add_argument("--floor", type=float, default=0.85)
    options.add_argument("--tests", nargs="*", default=[test for test in TESTS if (TOP / test).exists()])
    chosen = options.parse_args()
    files = chosen.files or [f.relative_to(TOP) for f in sorted((TOP / ROOM).rglob("*.py")) if "formats" not in f.parts]
    mutants = sample(files, chosen.count, chosen.seed)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(chosen.jobs) as workers:
        trees: SimpleQueue[Path] = SimpleQueue()
        for job in range(chosen.jobs):
            tree = copy_tree(Path(folder) / str(job))
            trees.put(tree)
        passing = Passing(tree, chosen.tests)

        def work(mutant: Mutant) -> tuple[str, str]:
            tree = trees.get()
            try:
                return fate(mutant, tree, passing.by(mutant))
            finally:
                trees.put(tree)

        for outcome, difference in workers.map(work, mutants):
            outcomes[outcome] += 1
            if outcome != "killed":
                print(f"{outcome} ({outcomes.total()} tried)", difference, sep="\n", end="\n\n", flush=True)
    total = outcomes.total()
    dead = total - outcomes["survived"]
    shown = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    print(f"{total} mutants, seed {chosen.seed}: {shown}; {dead / max(total, 1):.1%} killed (at least {chosen.floor:.0%} wanted)")
    return 0 if dead >= chosen.floor * total else 1


if __name__ == "__main__":
    sys.exit(main())
