"""What a capture holds for one packet, and for one interface, before anybody parses it."""

from __future__ import annotations

from typing import NamedTuple


class Interface(NamedTuple):
    """Where packets were captured. `linktype` is a LINKTYPE_ number of the tcpdump group."""

    name: str
    linktype: int
    description: str = ""


class Frame(NamedTuple):
    """One captured packet as octets.

    `time` is in nanoseconds (since 1970 in a file, since the network was made in an emulation), `length` the octets on
    the wire, of which `data` may be only the first.
    """

    time: int
    data: bytes
    length: int
    interface: Interface
    comment: str | None
