"""ip(8), ifconfig(8) and tc(8) in the back-quoted lines of scripts: what they do to a drill's wire."""

from __future__ import annotations

from typing import Any

from stack.base.address import IPAddress, ip_address
from stack.base.errors import AddressError
from stack.testing.drill.command_reader import Unmapped
from stack.testing.drill.emulated_process import EmulatedProcess
from stack.testing.drill.routes import route_change
from stack.testing.drill.shell import Simple

_SHOWING = frozenset({"show", "list", "ls", "get", "lst"})


def ip(process: EmulatedProcess, simple: Simple) -> None:
    """ip(8)"""
    words = [word for word in simple.words[1:] if not word.startswith("-")]
    if not words:
        return
    what, verb = words[0], words[1] if len(words) > 1 else "show"
    if what in ("tcp_metrics", "tcpmetrics"):
        if verb not in _SHOWING:  # of what Linux keeps there, Fast Open's cookies are what a later connection sees
            named = next((word for word in words[2:] if word not in ("all", "address")), None)
            process.host.engine.tcp.fast_open.forget(bytes(_parsed(named)) if named is not None else None)
    elif what in ("route", "ro", "r"):
        route_change(process, words[1:] or ["show"], Unmapped)
    elif verb in _SHOWING and what in ("link", "l", "addr", "address", "a", "neigh", "rule"):
        return
    elif what in ("link", "l") and verb == "set":
        _link(process, words[2:])
    elif what in ("neigh", "rule"):
        return  # nothing is behind the wire but the script
    elif what in ("addr", "address", "a") and verb == "add" and len(words) > 2:
        _address(process, words[2])
    else:
        raise Unmapped(f"ip {' '.join(words[:2])} cannot be mapped")


def ifconfig(process: EmulatedProcess, simple: Simple) -> None:
    """ifconfig(8)"""
    _link(process, list(simple.words[2:]))


def _link(process: EmulatedProcess, words: list[str]) -> None:
    interface = process.host.interfaces[0]
    if words[:2] == ["dev", "lo"] or words[:1] == ["lo"]:
        return
    if "mtu" in words[:-1]:
        interface.mtu = int(words[words.index("mtu") + 1])
        process.host.engine.routes.changed()
    if "down" in words:
        interface.up = False
    elif "up" in words:
        interface.up = True


def _address(process: EmulatedProcess, text: str) -> None:
    address = _parsed(text.partition("/")[0])
    host = process.host
    if address not in host.engine.addresses.local:
        host.engine.add_address(host.interfaces[0], address, 8 * len(address))


_GOING = ("del", "delete")


def _parsed(text: str) -> IPAddress:
    try:
        return ip_address(text)
    except AddressError:
        raise Unmapped(f"{text!r} is no address") from None


def tc(simple: Simple) -> dict[str, Any]:
    """tc(8): of the queue disciplines two show on the wire of a drill, which never has a queue: fq paces, and one of no room drops all."""
    words = [word for word in simple.words[1:] if not word.startswith("-")]
    if words[:1] != ["qdisc"] or len(words) < 2 or words[1] in _SHOWING:
        return {}
    delay = {"netem", "tbf"} & set(words)
    if delay and words[1] != "del":
        raise Unmapped(f"tc qdisc … {delay.pop()} cannot be mapped: nothing on the wire of a drill waits, or is lost")
    if words[1] not in _GOING and "limit" in words[:-1] and words[words.index("limit") + 1] == "0":
        return {"paced": False, "local_congestion": True}
    return {"local_congestion": False, "paced": words[1] not in _GOING and "fq" in words and "nopacing" not in words}
