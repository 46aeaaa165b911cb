"""The notebooks run from top to bottom in fresh kernels, and what is stored in them is what they print today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs the notebook extra")
pytest.importorskip("nbclient", reason="needs the notebook extra")
pytest.importorskip("ipykernel", reason="needs the notebook extra")

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def execute(path: Path, into: Path) -> Any:
    """The notebook with the outputs of a fresh kernel. In a process of its own: the libraries' warnings stay theirs."""
    command = [sys.executable, "-m", "notebooks", "--into", str(into), path.name]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}  # the kernel has another working folder: this tree, not one that is installed
    done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return nbformat.read(into / path.name, as_version=4)


def printed(notebook: Any) -> list[str]:
    """What each cell prints; pictures may look different tomorrow."""
    return ["".join(one.text for one in cell.get("outputs", ()) if one.output_type == "stream") for cell in notebook.cells]


def test_there_are_notebooks() -> None:
    assert [path.name[:2] for path in NOTEBOOKS[:3]] == ["01", "02", "03"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_prints_what_is_stored(path: Path, tmp_path: Path) -> None:
    fresh = execute(path, tmp_path)
    stored = nbformat.read(path, as_version=4)
    assert printed(fresh) == printed(stored), f"make it again: python -m notebooks {path.name}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_with_pictures_and_without_traces_of_the_run(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    kinds = {kind for cell in stored.cells for one in cell.get("outputs", ()) for kind in one.get("data", {})}
    assert "image/svg+xml" in kinds
    assert not any(cell.metadata for cell in stored.cells)
    assert str(ROOT) not in path.read_text()
