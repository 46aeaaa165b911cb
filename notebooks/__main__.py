"""Run the notebooks from top to bottom in fresh kernels, and store what they show: `python -m notebooks`, or `python -m notebooks 01`."""

import argparse
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
PICTURES = ("image/svg+xml", "image/png", "text/html")  # what is stored of an output: the first that there is


def notebooks() -> list[Path]:
    """The notebooks, in order."""
    return sorted(HERE.glob("*.ipynb"))


def run(path: Path) -> Any:
    """The notebook with the outputs of a fresh kernel; raises what a cell raised."""
    notebook: Any = nbformat.read(path, as_version=4)
    # The kernel of this interpreter, whatever is installed for others.
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}).execute()
    return notebook


def tidied(notebook: Any) -> Any:
    """Without what changes from run to run, and with drawings as images, which pages that strip HTML show, too."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            output.pop("metadata", None)
            data = output.get("data", {})
            if data.get("text/html", "").lstrip().startswith("<svg"):
                data["image/svg+xml"] = data.pop("text/html")
            kind = next((one for one in PICTURES if one in data), None)
            if kind is not None:
                output.data = {kind: data[kind]}
            if "data" in output:
                output.metadata = {}
    return notebook


def main() -> None:
    """Run those whose names are given, or all; store them here, or in another folder."""
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of notebooks")
    parser.add_argument("--into", type=Path, default=HERE, help="where to store them")
    asked = parser.parse_args()
    for path in notebooks():
        if not asked.names or any(name in path.name for name in asked.names):
            nbformat.write(tidied(run(path)), asked.into / path.name)


if __name__ == "__main__":
    main()
