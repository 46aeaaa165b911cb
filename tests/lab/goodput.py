"""The table of goodput in docs/congestion.md: buffer, loss, control. `python -m tests.lab.goodput` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tests.lab.bottleneck import MEGABIT, flows, goodput

PAGE = Path(__file__).resolve().parents[2] / "docs" / "congestion.md"
RATE, DELAY, SECONDS = 2 * MEGABIT, 0.05, 10.0
BUFFERS = (4, 16, 64)  # packets; the path holds 17
LOSSES = (0.0, 0.001, 0.01)
CONTROLS = ("reno", "cubic", "bbr")
HEAD = "| queue | loss | " + " | ".join(CONTROLS) + " |"


def cell(control: str, buffer: int, loss: float) -> int:
    """Goodput in per cent of the link."""
    return round(100 * goodput(flows(control, rate=RATE, delay=DELAY, queue=buffer, loss=loss, seconds=SECONDS), RATE, SECONDS))


def table() -> list[str]:
    """The rows, with their head."""
    rows = [HEAD, "|---|---|" + "---|" * len(CONTROLS)]
    for buffer in BUFFERS:
        for loss in LOSSES:
            cells = " | ".join(f"{cell(control, buffer, loss)} %" for control in CONTROLS)
            rows.append(f"| {buffer} | {100 * loss:g} % | {cells} |")
    return rows


def written() -> list[str]:
    """The rows as the page has them."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index(HEAD)
    return lines[start : start + 2 + len(BUFFERS) * len(LOSSES)]


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace("\n".join(written()), "\n".join(table())), encoding="utf-8")
    print(f"wrote {PAGE.name}")
