"""Colours: one kind of packet, one colour, in terminals and in pages, light and dark (Wireshark's rules, softened)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colour:
    """How packets of one kind look: a rich style for terminals, ink for light and for dark pages."""

    terminal: str
    light: str
    dark: str


# The kinds that a summary gives. Wireshark's rules colour backgrounds; ink reads better on any background.
KINDS: dict[str, Colour] = {
    "arp": Colour("yellow", "#8a6100", "#e3b341"),
    "icmp": Colour("magenta", "#9a2f9a", "#e29ee2"),
    "error": Colour("bold magenta", "#a4145e", "#ff8cc6"),
    "udp": Colour("bright_blue", "#2f6fbd", "#79b8ff"),
    "name": Colour("cyan", "#0b7285", "#66d9e8"),
    "open": Colour("bright_green", "#1a7f37", "#56d364"),
    "data": Colour("default", "#24292f", "#d8dee6"),
    "ack": Colour("bright_black", "#6a737d", "#929aa5"),
    "close": Colour("blue", "#5b3cc4", "#b9a3ff"),
    "again": Colour("bold yellow", "#b35900", "#ffa657"),
    "reset": Colour("bold red", "#cf222e", "#ff7b72"),
    "bad": Colour("red", "#cf222e", "#ff7b72"),
    "text": Colour("green", "#116329", "#7ee787"),
    "other": Colour("default", "#57606a", "#adb5bd"),
}

LIGHT = {
    "ink": "#24292f", "soft": "#6a737d", "line": "#c6ccd2", "paper": "#ffffff",
    "band": "#f3f5f7", "edge": "#d8dee4", "mark": "#fff3bf",
}  # fmt: skip
DARK = {
    "ink": "#e6e9ee", "soft": "#929aa5", "line": "#4b535d", "paper": "#16191e",
    "band": "#20252c", "edge": "#353c45", "mark": "#5c4a00",
}  # fmt: skip

SANS = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def style(kind: str) -> str:
    """The rich style for a kind of packet."""
    return KINDS.get(kind, KINDS["other"]).terminal


def _variables(page: dict[str, str], dark: bool) -> str:
    kinds = {f"k-{kind}": colour.dark if dark else colour.light for kind, colour in KINDS.items()}
    return " ".join(f"--{name}: {value};" for name, value in {**page, **kinds}.items())


def css() -> str:
    """The variables that all pictures draw with. A notebook's own theme wins over the system's."""
    light, dark = _variables(LIGHT, dark=False), _variables(DARK, dark=True)
    kinds = "\n".join(f".packetstack .k-{kind} {{ --k: var(--k-{kind}); }}" for kind in KINDS)
    return f"""
.packetstack {{ {light} color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{ .packetstack {{ {dark} }} }}
[data-jp-theme-light="true"] .packetstack, .vscode-light .packetstack {{ {light} }}
[data-jp-theme-light="false"] .packetstack, .vscode-dark .packetstack {{ {dark} }}
{kinds}
"""
