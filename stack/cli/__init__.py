"""The command line: `packetstack demo`, `ping`, `show`, `drill`."""

from stack.cli import demo, drill, ping, show
from stack.cli.command import main

__all__ = ["demo", "drill", "main", "ping", "show"]
