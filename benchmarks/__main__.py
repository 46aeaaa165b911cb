"""Run the benchmarks: all, or those that are named (codec, bulk, connections, capture, tap, goodput)."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("codec", "bulk", "connections", "capture", "tap", "goodput")


def main(wanted: list[str]) -> int:
    """Print each; 1 if a floor was missed, 2 for a name that there is not."""
    for name in wanted:
        if name not in NAMES:
            print(f"no benchmark {name!r}; there are {', '.join(NAMES)}", file=sys.stderr)
            return 2
    reached = True
    for name in wanted or NAMES:
        print(f"== {name}")
        reached &= bool(import_module(f"benchmarks.{name}").main())
        print()
    print("every floor reached" if reached else "a floor was missed")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
