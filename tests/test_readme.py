"""The README's first screen runs, and prints what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def blocks(kind: str) -> list[str]:
    """The code blocks of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def shape(text: str) -> list[str]:
    """A diagram without its numbers and lengths: what is served, and by which Python, is not in the README."""
    return [re.sub(r"─+", "─", re.sub(r"\d+", "0", re.sub(r" +", " ", line))) for line in text.strip().splitlines()]


def test_the_ten_lines_print_the_diagram_below_them(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert shape(done.stdout) == shape(blocks("text")[0])
    assert (tmp_path / "http.pcapng").exists()
