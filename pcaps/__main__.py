"""Make the samples again: `python -m pcaps`, or into another folder: `python -m pcaps FOLDER`."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent


def generators() -> list[ModuleType]:
    """The modules beside this one: each has `make(path)`, and `SAMPLE`, where its capture is kept."""
    names = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    return [import_module(f"{__package__}.{name}") for name in names]


def make(folder: Path) -> None:
    """Every sample, into a folder."""
    for generator in generators():
        generator.make(folder / generator.SAMPLE.name)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
