"""What came of many runs: lines for people, JUnit's XML for continuous integration, a page for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from stack.testing.drill.run import Result


def line(result: Result) -> str:
    """PASS or FAIL, script and IP version; after a failure what was expected above what came."""
    text = f"{'PASS' if result.passed else 'FAIL'} {result.name}" + (f" [{result.version}]" if result.version else "")
    return text if result.failure is None else f"{text}\n  " + str(result.failure).replace("\n", "\n  ")


def summary(results: Sequence[Result], seconds: float) -> str:
    """How many runs and how many scripts passed."""
    scripts = by_script(results)
    whole = sum(all(one.passed for one in runs) for runs in scripts.values())
    passed = sum(one.passed for one in results)
    return f"{whole} of {len(scripts)} scripts passed, {passed} of {len(results)} runs, in {seconds:.2f} s"


def by_script(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The runs of each script, in order."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.name, []).append(result)
    return found


def junit(results: Sequence[Result], path: str | Path) -> None:
    """Write JUnit's XML: a test case for each run."""
    failed = sum(not one.passed for one in results)
    root = ElementTree.Element("testsuite", name="packetstack drill", tests=str(len(results)), failures=str(failed))
    for result in results:
        case = ElementTree.SubElement(
            root, "testcase", classname=result.name, name=result.version or "script", time=f"{result.duration:.6f}"
        )
        if result.failure is not None:
            ElementTree.SubElement(case, "failure", message=_legible(result.failure.reason)).text = _legible(str(result.failure))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _legible(text: str) -> str:
    """Without the control characters that XML has no way to say."""
    return "".join(letter if letter in "\t\n" or letter >= " " else "�" for letter in text)
