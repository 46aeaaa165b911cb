"""What the pages tell people to type runs: the Python blocks of each page, one after the other, in one namespace."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "docs/networks.md", "docs/programs.md", "docs/captures.md", "docs/packets.md", "docs/congestion.md"]
LINKED = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def run(code: str, where: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-W", "error::ResourceWarning", "-c", code], cwd=where, capture_output=True, text=True, env=environment, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page: str, tmp_path: Path) -> None:
    assert run("\n".join(blocks(page)), tmp_path)


def test_the_fixture_of_the_page_on_programs_works(tmp_path: Path) -> None:
    (tmp_path / "test_page.py").write_text("\n".join(blocks("docs/programs.md")), encoding="utf-8")
    assert "1 passed" in run("import pytest, sys; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'test_page.py']))", tmp_path)


@pytest.mark.parametrize("number", range(len(blocks("CONTRIBUTING.md"))))
def test_each_recipe_does_what_it_says(number: int, tmp_path: Path) -> None:
    run(blocks("CONTRIBUTING.md")[number], tmp_path)


@pytest.mark.parametrize("page", LINKED)
def test_links_lead_to_files_that_are_there(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert target.startswith("https://") or ((ROOT / page).parent / target).exists(), target
