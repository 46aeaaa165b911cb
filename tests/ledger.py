"""The ledger of requirements: `@rfc("9293", "MUST-58")` says which passage of which RFC a test holds the code to.

`python -m tests.ledger` writes docs/rfc.md from these marks, from `tests/requirements.py` and `tests/requirements_others.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.requirements import ABSENT, REQUIREMENTS, Requirement
from tests.requirements_others import PASSAGES, TITLES, Passage

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rfc.md"
TCP = "9293"


def rfc(number: str, section: str) -> pytest.MarkDecorator:
    """Mark a test with a requirement's label (`MUST-58`) or a section (`3.10.7.4`) of an RFC."""
    return pytest.mark.rfc(number, section)


@dataclass(frozen=True)
class Mark:
    """One `@rfc` above one test."""

    number: str
    section: str
    path: str
    test: str

    def link(self) -> str:
        """The test's name, leading to its file."""
        return f"[{self.test.removeprefix('test_')}](../{self.path})"


def marks(root: Path = ROOT / "tests") -> list[Mark]:
    """Every mark in the tests, in the order of files and lines."""
    return [mark for path in sorted(root.rglob("test_*.py")) for mark in _marks_of(path)]


def _marks_of(path: Path) -> Iterator[Mark]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "rfc":
                number, section = (ast.literal_eval(argument) for argument in call.args)
                yield Mark(number, section, path.relative_to(ROOT).as_posix(), node.name)


def page() -> str:
    """The text of docs/rfc.md."""
    found: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks():
        found.setdefault((mark.number, mark.section), []).append(mark)
    labels = {requirement.label for requirement in REQUIREMENTS}
    tested = [one for one in REQUIREMENTS if (TCP, one.label) in found]
    rest = [one for one in REQUIREMENTS if (TCP, one.label) not in found]
    lines = [
        "# What the RFCs ask, and what holds the code to it",
        "",
        "Made by `python -m tests.ledger` from the `@rfc` marks of the tests, from `tests/requirements.py` and `tests/requirements_others.py`; "
        "a test fails when it is out of date.",
        "",
        f"RFC {TCP} labels {len(REQUIREMENTS)} requirements: {_count(REQUIREMENTS)}. "
        f"Tests hold {len(tested)} of them: {_count(tested)}.",
        "",
        f"## RFC {TCP}, held by tests",
        "",
        "| requirement | section | asks that | code | tests |",
        "|---|---|---|---|---|",
        *(_row(one, found[TCP, one.label]) for one in tested),
        "",
        f"## RFC {TCP}, not done, or not ours to do",
        "",
        "| requirement | section | asks that | why |",
        "|---|---|---|---|",
        *(f"| {one.label} | {one.section} | {one.asks} | {one.note} |" for one in rest),
        "",
        "## Other RFCs of TCP: their key requirements",
        "",
        f"{len(TITLES)} RFCs, {len(PASSAGES)} requirements; {sum(bool(one.code) for one in PASSAGES)} are held by tests. "
        "The numbers are those of sections; what a note ascribes to Linux is its default here too.",
        *(line for number, title in TITLES.items() for line in _chapter(number, title, found)),
        "",
        "Not here: " + "; ".join(f"RFC {number}, {what}" for number, what in sorted(ABSENT.items())) + ".",
        "",
        "## Other passages, held by tests",
        "",
        "| RFC | section | tests |",
        "|---|---|---|",
        *(
            f"| {number} | {section} | {', '.join(mark.link() for mark in those)} |"
            for (number, section), those in sorted(found.items(), key=lambda item: _order(*item[0]))
            if number not in TITLES and section not in labels
        ),
    ]
    return "\n".join(lines) + "\n"


def _count(those: list[Requirement]) -> str:
    kinds = [one.label.partition("-")[0] for one in those]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


def _row(one: Requirement, those: list[Mark]) -> str:
    code = f"[{one.code}](../stack/{one.code})"
    asks = one.asks + (f". *{one.note}*" if one.note else "")
    return f"| {one.label} | {one.section} | {asks} | {code} | {', '.join(mark.link() for mark in those)} |"


def _chapter(number: str, title: str, found: dict[tuple[str, str], list[Mark]]) -> Iterator[str]:
    yield from ("", f"### RFC {number}: {title}", "", "| section | asks that | code | tests |", "|---|---|---|---|")
    for one in PASSAGES:
        if one.number == number:
            yield _passage(one, found.get((number, one.section), []))


def _passage(one: Passage, those: list[Mark]) -> str:
    if not one.code:
        return f"| {one.section} | {one.asks} | **not done** | {one.note} |"
    asks = one.asks + (f". *{one.note}*" if one.note else "")
    return f"| {one.section} | {asks} | [{one.code}](../stack/{one.code}) | {', '.join(mark.link() for mark in those)} |"


def _order(number: str, section: str) -> tuple[int, list[int], str]:
    return int(number), [int(part) for part in re.findall(r"\d+", section)], section


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
