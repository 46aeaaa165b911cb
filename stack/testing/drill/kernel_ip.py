"""ip(8), ifconfig(8) and tc(8) in the back-quoted lines of scripts, asked of the kernel by rtnetlink (rtnetlink(7), ip-route(8))."""

from __future__ import annotations

import socket
from struct import pack

from stack.base.address import IPAddress, ip_address
from stack.base.errors import AddressError
from stack.link.rtnetlink import Rtnetlink
from stack.testing.drill.command_reader import Unmapped
from stack.testing.drill.kernel_genetlink import forget_metrics
from stack.testing.drill.shell import Simple

_VERBS = {"add": "add", "a": "add", "change": "change", "chg": "change", "replace": "replace", "repl": "replace", "append": "append",
          "prepend": "prepend", "del": "delete", "delete": "delete"}  # fmt: skip
_SHOWING = frozenset({"show", "list", "ls", "get", "lst"})
# RTAX_…, linux/rtnetlink.h; what is a time is in milliseconds (rtt in eighths of one, rttvar in quarters)
_METRICS = {
    "mtu": 2, "window": 3, "rtt": 4, "rttvar": 5, "ssthresh": 6, "cwnd": 7, "advmss": 8, "reordering": 9, "hoplimit": 10,
    "initcwnd": 11, "features": 12, "rto_min": 13, "initrwnd": 14, "quickack": 15, "congctl": 16, "fastopen_no_cookie": 17,
}  # fmt: skip
_SCALES = {"rtt": 8, "rttvar": 4}
_LOCK = 1
_PASSED = frozenset({"scope", "proto", "type", "tos", "pref", "realms"})


def ip(simple: Simple, version: int) -> None:
    """ip(8); `version` is that of the addresses that the words leave open."""
    words = [word for word in simple.words[1:] if not word.startswith("-")]
    if {"-6", "-4"} & set(simple.words):
        version = 6 if "-6" in simple.words else 4
    if not words:
        return
    what, verb = words[0], words[1] if len(words) > 1 else "show"
    if what in ("tcp_metrics", "tcpmetrics"):
        if verb not in _SHOWING:
            forget_metrics()
    elif verb in _SHOWING:
        return
    elif what in ("route", "ro", "r"):
        _route(words[1:], version)
    elif what in ("link", "l") and verb == "set":
        _link(words[2:])
    elif what in ("addr", "address", "a") and verb in ("add", "replace") and len(words) > 2:
        _address(words[2], _index(words))
    else:
        raise Unmapped(f"ip {' '.join(words[:2])} cannot be mapped")


def ifconfig(simple: Simple) -> None:
    """ifconfig(8)"""
    _link(["dev", *simple.words[1:]])


def _index(words: list[str]) -> int:
    name = words[words.index("dev") + 1] if "dev" in words[:-1] else "tun0"
    try:
        return socket.if_nametoindex(name)
    except OSError:
        raise Unmapped(f"there is no device {name!r} in the script's namespace") from None


def _link(words: list[str]) -> None:
    if words[:1] != ["dev"]:
        words = ["dev", *words]
    mtu = int(words[words.index("mtu") + 1]) if "mtu" in words[:-1] else None
    up = True if "up" in words else False if "down" in words else None
    if mtu is None and up is None:
        raise Unmapped(f"ip link set {' '.join(words)} cannot be mapped")
    kernel = Rtnetlink()
    try:
        kernel.change_link(_index(words), mtu=mtu, up=up)
    finally:
        kernel.close()


def _address(text: str, index: int) -> None:
    address, length = _prefix(text, 4)
    kernel = Rtnetlink()
    try:
        kernel.add_address(index, address, length)
    except FileExistsError:
        pass
    finally:
        kernel.close()


def _prefix(text: str, version: int) -> tuple[IPAddress, int]:
    if text == "default":
        return ip_address("::" if version == 6 else "0.0.0.0"), 0
    address, _, length = text.partition("/")
    try:
        prefix = ip_address(address)
        return prefix, int(length) if length else 8 * len(prefix)
    except (AddressError, ValueError):
        raise Unmapped(f"{text!r} is no prefix") from None


def _route(words: list[str], version: int) -> None:
    if words[0] == "flush":
        with open("/proc/sys/net/ipv4/route/flush", "w") as file:
            file.write("1")
        return
    verb = _VERBS.get(words[0])
    rest = words[2:] if words[1:2] in (["unicast"], ["local"]) else words[1:]
    if verb is None or not rest:
        raise Unmapped(f"ip route {' '.join(words)} cannot be mapped")
    network, length = _prefix(rest[0], version)
    ways, metrics = _said(rest[1:])
    kernel = Rtnetlink()
    try:
        kernel.change_route(_index(rest), network, length, ways.get("via"), verb=verb, source=ways.get("src"), metrics=metrics)
    finally:
        kernel.close()


def _said(words: list[str]) -> tuple[dict[str, IPAddress], list[tuple[int, bytes]]]:
    """Addresses and metrics of a route."""
    ways: dict[str, IPAddress] = {}
    metrics: list[tuple[int, bytes]] = []
    locked = 0
    left = iter(words)
    for word in left:
        if word == "onlink":
            continue
        value = next(left, "")
        if word in ("via", "src"):
            ways[word] = _prefix(value, 4)[0]
        elif word in _METRICS:
            if value == "lock":
                locked |= 1 << _METRICS[word]
                value = next(left, "")
            metrics.append((_METRICS[word], _metric(word, value)))
        elif word not in _PASSED and word != "dev":
            raise Unmapped(f"ip route … {word} {value} cannot be mapped")
    if locked:
        metrics.append((_LOCK, pack("=I", locked)))
    return ways, metrics


def _metric(word: str, value: str) -> bytes:
    if word == "congctl":
        return value.encode() + b"\0"
    if word == "features":
        return pack("=I", 1 if value == "ecn" else 0)
    if word in ("rto_min", "rtt", "rttvar"):
        number = int(value[:-2]) if value.endswith("ms") else int(value[:-1]) * 1000 if value.endswith("s") else int(value)
        return pack("=I", number * _SCALES.get(word, 1))
    return pack("=I", int(value, 0))


def tc(simple: Simple) -> None:
    """tc(8): the queue disciplines fq, pfifo and pfifo_fast at the root of the wire."""
    words = [word for word in simple.words[1:] if not word.startswith("-")]
    if words[:1] != ["qdisc"] or len(words) < 2 or words[1] in _SHOWING:
        return
    verb = _VERBS.get(words[1])
    if verb not in ("add", "replace", "delete") or "root" not in words:
        raise Unmapped(f"tc {' '.join(words)} cannot be mapped")
    left = iter(words[2:])
    kind, options = "", b""
    for word in left:
        if word == "dev" or word == "handle":
            next(left, None)
        elif word in ("fq", "pfifo", "pfifo_fast", "noqueue"):
            kind = word
        elif word == "limit" and kind == "pfifo":
            options = pack("=I", int(next(left, "0"), 0))
        elif word != "root":
            raise Unmapped(f"tc qdisc … {word} cannot be mapped")
    kernel = Rtnetlink()
    try:
        kernel.queue_discipline(_index(words), kind, options, verb=verb)
    finally:
        kernel.close()


