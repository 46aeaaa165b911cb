"""The scripts of other people pass, apart from those that docs/packetdrill.md lists; and none passes whatever it says."""

from __future__ import annotations

import pytest

from stack.testing.drill.run import Setup, scripts, survivors
from tests.drills import FOLDERS, SHARED, listed, results, share

pytestmark = pytest.mark.skipif(
    not all((SHARED / folder).is_dir() for folder in FOLDERS), reason="../shared/packetdrill is not here"
)

# At least so many of a folder's scripts pass, in all of their IP versions.
LEAST = {"packetdrill": 0.90, "packetdrill-relaxed": 0.97}


@pytest.mark.parametrize("folder", FOLDERS)
def test_those_that_are_not_listed_pass(folder: str) -> None:
    known = listed()
    failed = [str(one.failure) for name, runs in results(folder).items() if name not in known for one in runs if not one.passed]
    assert failed == []
    assert share(folder) >= LEAST[folder]


def test_a_changed_script_is_rejected() -> None:
    tried = 0
    missed: list[str] = []
    for path in scripts([SHARED / folder for folder in FOLDERS]):
        count, survived = survivors(path, Setup(seed=3))
        tried += count
        missed += survived
    assert tried > 250
    assert len(missed) <= tried // 100, missed
