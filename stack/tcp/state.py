"""The connection states and every transition between them (RFC 9293 section 3.3.2, figure 5)."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """A state of RFC 9293 section 3.3.2, under its name there."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"

    # Members are singletons; the enumeration's own hash is a Python function on the path of every segment.
    __hash__ = object.__hash__


CLOSED = State.CLOSED
LISTEN = State.LISTEN
SYN_SENT = State.SYN_SENT
SYN_RECEIVED = State.SYN_RECEIVED
ESTABLISHED = State.ESTABLISHED
FIN_WAIT_1 = State.FIN_WAIT_1
FIN_WAIT_2 = State.FIN_WAIT_2
CLOSE_WAIT = State.CLOSE_WAIT
CLOSING = State.CLOSING
LAST_ACK = State.LAST_ACK
TIME_WAIT = State.TIME_WAIT

TRANSITIONS: dict[tuple[State, State], str] = {
    (CLOSED, LISTEN): "passive OPEN",
    (CLOSED, SYN_SENT): "active OPEN, snd SYN",
    (LISTEN, SYN_SENT): "SEND, snd SYN",
    (LISTEN, SYN_RECEIVED): "rcv SYN, snd SYN,ACK",
    (LISTEN, CLOSED): "CLOSE",
    (SYN_SENT, SYN_RECEIVED): "rcv SYN, snd SYN,ACK",
    (SYN_SENT, ESTABLISHED): "rcv SYN,ACK, snd ACK",
    (SYN_SENT, CLOSED): "CLOSE, rcv RST or timeout",
    (SYN_RECEIVED, LISTEN): "rcv RST (passive OPEN)",
    (SYN_RECEIVED, ESTABLISHED): "rcv ACK of SYN",
    (SYN_RECEIVED, FIN_WAIT_1): "CLOSE, rcv ACK of SYN, snd FIN",
    (SYN_RECEIVED, CLOSED): "ABORT, rcv RST or timeout",
    (ESTABLISHED, FIN_WAIT_1): "CLOSE, snd FIN",
    (ESTABLISHED, CLOSE_WAIT): "rcv FIN, snd ACK",
    (ESTABLISHED, CLOSED): "ABORT, rcv RST or timeout",
    (FIN_WAIT_1, FIN_WAIT_2): "rcv ACK of FIN",
    (FIN_WAIT_1, CLOSING): "rcv FIN, snd ACK",
    (FIN_WAIT_1, CLOSED): "ABORT, rcv RST or timeout",
    (FIN_WAIT_2, TIME_WAIT): "rcv FIN, snd ACK",
    (FIN_WAIT_2, CLOSED): "ABORT, rcv RST or timeout",
    (CLOSE_WAIT, LAST_ACK): "CLOSE, snd FIN",
    (CLOSE_WAIT, CLOSED): "ABORT, rcv RST or timeout",
    (CLOSING, TIME_WAIT): "rcv ACK of FIN",
    (CLOSING, CLOSED): "ABORT, rcv RST or timeout",
    (LAST_ACK, CLOSED): "rcv ACK of FIN",
    (TIME_WAIT, CLOSED): "2 MSL timeout",
}

SYNCHRONIZED = frozenset(State) - {CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED}
HAS_DATA = frozenset({ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK})  # may still have data or a FIN to send
MAY_RECEIVE = frozenset({ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2})
FIN_RECEIVED = frozenset({CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT})


def diagram() -> str:
    """The states and transitions in the DOT language of Graphviz."""
    lines = ["digraph TCP {"]
    lines += [f'  "{old.value}" -> "{new.value}" [label="{why}"];' for (old, new), why in TRANSITIONS.items()]
    return "\n".join([*lines, "}"])


def table() -> str:
    """The states and transitions as lines of text: `ESTABLISHED → CLOSE-WAIT  rcv FIN, snd ACK`."""
    return "\n".join(f"{old.value:>12} → {new.value:<12}  {why}" for (old, new), why in TRANSITIONS.items())
