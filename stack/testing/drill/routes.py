"""`ip route change … advmss 1460 mtu lock 1500 initcwnd 11`: the metrics of the route behind a drill's wire (ip-route(8))."""

from __future__ import annotations

from collections.abc import Callable

from stack.base.address import IPAddress, ip_address
from stack.base.errors import AddressError
from stack.base.quantity import MILLISECOND, SECOND
from stack.ip.route import Metrics
from stack.testing.drill.emulated_process import EmulatedProcess

_VERBS = ("add", "change", "replace", "append", "chg", "prepend", "repl")
_WITH_VALUE = frozenset({"via", "dev", "src", "scope", "proto", "table", "metric", "type", "tos", "pref", "realms"})
_NUMBERS = {
    "advmss": "advertised_mss", "initcwnd": "initial_window", "initrwnd": "initial_receive_window", "window": "window", "reordering": "reordering",
}  # fmt: skip
_TYPES = ("unicast", "local")


def route_change(process: EmulatedProcess, words: list[str], failed: Callable[[str], Exception]) -> None:
    """Set the metrics that the words say on the routes behind the wire. Raises what `failed` makes for others."""
    if words[0] in ("flush", "show", "list", "get", "del", "delete"):
        return
    if words[0] not in _VERBS:
        raise failed(f"ip route {words[0]} cannot be mapped")
    if words[1:2] and words[1] in _TYPES:
        words = words[1:]
    if len(words) < 2:
        raise failed("ip route without a prefix cannot be mapped")
    metrics: dict[str, int | bool | str] = {}
    rest = iter(words[2:])
    for word in rest:
        if word == "onlink":
            continue
        if word in _WITH_VALUE:
            next(rest, None)
            continue
        value = next(rest, "")
        locked = value == "lock"
        if locked:
            value = next(rest, "")
        try:
            metrics.update(_metric(word, value, locked))
        except (KeyError, ValueError):
            raise failed(f"ip route … {word} {value} cannot be mapped") from None
    if not metrics:
        return
    table = process.host.engine.routes
    prefix, length = _prefix(words[1], process, failed)
    if len(prefix) != len(process.profile.local):
        return  # of the other IP version, which is not on this wire
    try:
        table.change(prefix, length, Metrics(**metrics))  # type: ignore[arg-type]
    except KeyError as trouble:
        raise failed(str(trouble.args[0])) from None


def _prefix(text: str, process: EmulatedProcess, failed: Callable[[str], Exception]) -> tuple[IPAddress, int]:
    if text == "default":
        return type(process.profile.local)(bytes(len(process.profile.local))), 0
    address, _, length = text.partition("/")
    try:
        prefix = ip_address(address)
        return prefix, int(length) if length else 8 * len(prefix)
    except (AddressError, ValueError):
        raise failed(f"{text!r} is no prefix") from None


def _metric(word: str, value: str, locked: bool) -> dict[str, int | bool | str]:
    if word == "mtu":
        return {"mtu": int(value), "mtu_locked": locked}
    if word == "rto_min":
        return {"minimum_rto": _time(value)}
    if word == "features":
        return {"ecn": value == "ecn"}
    if word == "congctl":
        return {"congestion": value}
    if word in ("quickack", "fastopen_no_cookie"):
        return {"quick_ack" if word == "quickack" else "no_cookie": int(value) != 0}
    return {_NUMBERS[word]: int(value)}


def _time(text: str) -> int:
    """"200ms", "1s"; a number alone is milliseconds, as ip(8) has it."""
    if text.endswith("ms"):
        return int(text[:-2]) * MILLISECOND
    if text.endswith("s"):
        return int(text[:-1]) * SECOND
    return int(text) * MILLISECOND
