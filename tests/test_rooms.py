"""The rules of the house: who may import whom, how large a file may grow, how fast the package starts."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STACK = ROOT / "stack"

# From left to right: a file imports from its own room and from those on rows above. `udp` and `tcp` share a row,
# and so do not know each other. The package's own face (`stack/__init__.py`, no name) comes after
# `lab` and `testing`, whose names it gives.
ROWS: list[tuple[str, ...]] = [
    ("base",),
    ("codec",),
    ("link",),
    ("ip",),
    ("udp", "tcp"),
    ("host",),
    ("network",),
    ("socket",),
    ("application",),
    ("capture",),
    ("view",),
    ("lab",),
    ("testing",),
    ("",),
    ("cli",),
    ("__main__",),
]
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}

FILE_LIMIT = 400
FUNCTION_LIMIT = 60
IMPORT_SECONDS = 0.150
HEAVY = ("scapy", "matplotlib", "jinja2", "rich", "click", "numpy", "asyncio", "hypothesis", "pytest")

FILES = sorted(STACK.rglob("*.py"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """`stack.tcp.formats.tcp` → `tcp`; the package itself is the room of no name."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in RANK else ""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(module: str, tree: ast.AST, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of everything that a file imports: at the top, inside functions, for type checking."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                package = module.split(".")[: None if is_package and node.level == 1 else -(node.level - is_package)]
                origin = ".".join([*package, origin]).rstrip(".")
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def imports_of(path: Path) -> list[tuple[int, str]]:
    return list(imports(module_of(path), tree_of(path), path.name == "__init__.py"))


def breaches(module: str, source: list[tuple[int, str]]) -> list[str]:
    here = room_of(module)
    wrong = []
    for line, target in source:
        if target != "stack" and not target.startswith("stack."):
            continue
        there = room_of(target)
        if there != here and RANK[there] >= RANK[here]:
            wrong.append(f"line {line}: {here or 'stack'} imports {target}, which is not to its left")
    return wrong


def test_every_room_has_its_place() -> None:
    found = {path.name for path in STACK.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert found <= set(RANK), "a room that DESIGN does not know"
    assert not {"utils", "common", "helpers"} & {path.stem for path in STACK.rglob("*")}


@each_file
def test_a_file_imports_only_from_the_left(path: Path) -> None:
    assert breaches(module_of(path), imports_of(path)) == []


def test_an_import_to_the_right_is_seen_wherever_it_hides() -> None:
    source = """
from typing import TYPE_CHECKING
import stack.base.time
if TYPE_CHECKING:
    from stack.host.host import HostEngine
def later():
    from ..lab import Network
    from stack import Packet
    import_module("stack.cli")
"""
    found = breaches("stack.tcp.connection", list(imports("stack.tcp.connection", ast.parse(source))))
    assert [line.split(":")[0] for line in found] == ["line 5", "line 7", "line 8", "line 9"]
    assert breaches("stack.udp.ports", [(1, "stack.tcp.seq")]) != [], "udp and tcp do not know each other"
    assert breaches("stack.tcp.connection", [(1, "stack.tcp.seq"), (2, "stack.ip.route")]) == []


@each_file
def test_a_format_knows_no_engine(path: Path) -> None:
    """Importing what bytes mean must not import what packets do."""
    if "formats" not in path.parts:
        return
    for line, target in imports_of(path):
        if target.startswith("stack."):
            assert room_of(target) in ("base", "codec") or "formats" in target.split("."), f"line {line}: {target}"


@each_file
def test_scapy_lives_in_one_room(path: Path) -> None:
    if room_of(module_of(path)) != "capture":
        assert not [line for line, target in imports_of(path) if target.split(".")[0] == "scapy"]


@each_file
def test_files_and_functions_stay_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines < FILE_LIMIT, f"{lines} lines: split it"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= FUNCTION_LIMIT, f"{node.name}, line {node.lineno}: {length} lines"


@each_file
def test_line_one_says_what_a_file_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text or text.startswith('"""'), "line 1 is the file's docstring"


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_import_stack_loads_nothing_heavy() -> None:
    loaded = run("import sys, stack; print(*sorted({name.partition('.')[0] for name in sys.modules}))").split()
    assert "stack" in loaded
    assert not set(HEAVY) & set(loaded)


def test_import_stack_is_quick() -> None:
    """Under 150 ms. The best of some tries: a busy machine slows a try down, nothing speeds it up."""
    code = "from time import perf_counter as t; a = t(); import stack; print(t() - a)"
    best = 9.9
    for _ in range(8):
        best = min(best, float(run(code)))
        if best < IMPORT_SECONDS:
            return
    pytest.fail(f"import stack takes {best * 1000:.0f} ms")
