"""What pytest needs: `*.pkt` files are packetdrill scripts, each of their IP versions a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`drill_profile = rfc` in the configuration, or `--drill-profile`: the TCP settings of the host that scripts run against."""
    text = "TCP settings of the host that packetdrill scripts (*.pkt) run against: linux or rfc."
    parser.addini("drill_profile", text, default="linux")
    parser.getgroup("packetstack").addoption("--drill-profile", choices=["linux", "rfc"], help=text)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A script, unless it is something else that ends so."""
    if file_path.suffix != ".pkt":
        return None
    with file_path.open("rb") as file:
        if b"\0" in file.read(4096):
            return None
    script: pytest.Collector = Script.from_parent(parent, path=file_path)
    return script


class Script(pytest.File):
    """A script; one that is not in the language is an error of the collection."""

    def collect(self) -> Iterator[pytest.Item]:
        from stack.testing.drill.run import Setup, variants
        from stack.testing.drill.script import ScriptError

        setup = Setup(self.config.getoption("drill_profile") or self.config.getini("drill_profile"))
        try:
            versions = variants(self.path, setup)
        except ScriptError as error:
            raise self.CollectError(str(error)) from None
        for version in versions:
            yield Variant.from_parent(self, name=version, setup=setup)


class Variant(pytest.Item):
    """A script in one IP version."""

    def __init__(self, *, setup: Any, **named: Any) -> None:
        super().__init__(**named)
        self.run_setup = setup

    def runtest(self) -> None:
        from stack.testing.drill.run import load, run_script

        run_script(load(self.path, self.name, self.run_setup), self.name, self.run_setup)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The script's line, and what was expected above what came."""
        from stack.testing.drill.mismatch import Mismatch
        from stack.testing.drill.script import ScriptError

        if isinstance(excinfo.value, Mismatch | ScriptError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name} [{self.name}]"
