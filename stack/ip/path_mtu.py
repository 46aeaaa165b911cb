"""What routers said of path MTUs (RFC 1191, RFC 8201): a cache that forgets after ten minutes."""

from __future__ import annotations

from stack.base.address import IPAddress, IPv4Address

MINUTE = 60_000_000_000
LIFETIME = 10 * MINUTE
DESTINATIONS = 4096
IPV4_MINIMUM = 552  # Linux's min_pmtu
IPV6_MINIMUM = 1280  # RFC 8200 section 5
_PLATEAUS = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)  # RFC 1191 section 7.1


class PathMTU:
    """Destination → MTU in octets, where it is less than the first link's."""

    __slots__ = ("_learnt",)

    def __init__(self) -> None:
        self._learnt: dict[IPAddress, tuple[int, int]] = {}

    def learn(self, destination: IPAddress, mtu: int, now: int) -> int | None:
        """A router says that `mtu` is the most; the value to be used, or None if that is no news."""
        minimum = IPV4_MINIMUM if isinstance(destination, IPv4Address) else IPV6_MINIMUM
        mtu = max(mtu, minimum)
        if mtu >= self.get(destination, 1 << 16, now):
            return None
        self._learnt.pop(destination, None)
        if len(self._learnt) >= DESTINATIONS:
            del self._learnt[next(iter(self._learnt))]
        self._learnt[destination] = (mtu, now + LIFETIME)
        return mtu

    def get(self, destination: IPAddress, first_link: int, now: int) -> int:
        """The MTU towards `destination`, whose first link has `first_link`."""
        learnt = self._learnt.get(destination)
        if learnt is None:
            return first_link
        mtu, until = learnt
        if until <= now:
            del self._learnt[destination]
            return first_link
        return min(mtu, first_link)

    def __len__(self) -> int:
        return len(self._learnt)


def plateau(length: int) -> int:
    """What to try when a router does not say its MTU: the next lower usual one (RFC 1191 section 7)."""
    return next((each for each in _PLATEAUS if each < length), _PLATEAUS[-1])
