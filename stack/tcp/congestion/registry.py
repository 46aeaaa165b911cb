"""The congestion controls by the names of TCP_CONGESTION; each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from stack.tcp.congestion.base import CongestionControl

Chosen = str | type[CongestionControl]  # a name, or a class of the user's own

CONTROLS = {
    "bbr": "bbr.BBR",
    "cubic": "cubic.Cubic",
    "cubic-hystart++": "hystart_plus_plus.CubicHyStartPlusPlus",
    "dctcp": "dctcp.DCTCP",
    "reno": "newreno.NewReno",
    "reno-hystart++": "hystart_plus_plus.NewRenoHyStartPlusPlus",
    "reno-abc": "byte_counting.ByteCounting",
}


def available() -> tuple[str, ...]:
    """The names there are, in order."""
    return tuple(sorted(CONTROLS))


def congestion_control(chosen: Chosen) -> type[CongestionControl]:
    """The class of a name; a class is itself. Raises LookupError for a name that there is not."""
    if not isinstance(chosen, str):
        return chosen
    place = CONTROLS.get(chosen)
    if place is None:
        raise LookupError(f"no congestion control {chosen!r}; there are {', '.join(available())}")
    module, _, name = place.partition(".")
    found: type[CongestionControl] = getattr(import_module(f"stack.tcp.congestion.{module}"), name)
    return found


def name_of(chosen: Chosen) -> str:
    """The name that TCP_CONGESTION says."""
    return chosen if isinstance(chosen, str) else chosen.name
