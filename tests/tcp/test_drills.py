"""The project's own packet scripts, by theme. That they pass, they say themselves (*.pkt files are tests); here: none passes whatever it says."""

from __future__ import annotations

from pathlib import Path

from stack.testing.drill.run import Setup, scripts, survivors

SCRIPTS = scripts([Path(__file__).resolve().parent / "drills"])


def test_scripts_with_one_change_are_rejected() -> None:
    tried, missed = 0, []
    for seed in range(3):
        for path in SCRIPTS:
            count, survived = survivors(path, Setup(seed=seed))
            tried += count
            missed += survived
    assert tried >= 60
    assert missed == []
