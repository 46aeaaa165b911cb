"""What engines tell: events, and drops with an enumerated reason (never a log line)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class DropReason(Enum):
    """Why a packet went no further. The value is what people read."""

    # links and switches
    LOSS = "lost on the link"
    QUEUE_FULL = "queue full"
    QUEUE_EARLY = "dropped early by the queue"
    LINK_DOWN = "link down"
    PARTITION = "partitioned"
    SCRIPTED = "dropped by a rule"
    CORRUPT_FRAME = "bad frame check sequence"
    TOO_BIG = "larger than the MTU"
    NO_PORT = "no port for the destination"
    # frames
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown EtherType"
    NOT_FOR_US = "not for this host"
    # IP
    BAD_CHECKSUM = "bad checksum"
    BAD_ADDRESS = "impossible address"
    NO_ROUTE = "no route"
    TTL_EXPIRED = "time to live exceeded"
    UNREACHABLE = "neighbour does not answer"
    FRAGMENT_LIMIT = "too many fragments"
    FRAGMENT_TIMEOUT = "reassembly time exceeded"
    FRAGMENT_OVERLAP = "overlapping fragments"
    FRAGMENTATION_NEEDED = "fragmentation needed and not allowed"
    UNKNOWN_PROTOCOL = "unknown protocol"
    UNKNOWN_OPTION = "unknown option"
    RATE_LIMIT = "rate limit"
    # transport
    NO_SOCKET = "no socket on the port"
    QUEUE_OVERFLOW = "receive queue full"
    BACKLOG = "listen backlog full"
    NOT_ACCEPTABLE = "not acceptable in this state"


@dataclass(slots=True, frozen=True)
class Event:
    """Something happened at `time` (ns) in the component `where`: `what`, with `detail` for people."""

    time: int
    where: str
    what: str
    detail: Any = None


@dataclass(slots=True, frozen=True)
class Drop:
    """A packet ended at `time` (ns) in the component `where`."""

    time: int
    where: str
    reason: DropReason
    packet: Any = None
