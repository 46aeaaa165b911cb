"""How many ICMP errors a host sends: token buckets as Linux has them (RFC 1812 4.3.2.8, RFC 4443 section 2.4 (f))."""

from __future__ import annotations

from stack.base.address import IPAddress

SECOND = 1_000_000_000
PER_SECOND = 1000  # icmp_msgs_per_sec
BURST = 50  # icmp_msgs_burst
PEER_INTERVAL = SECOND  # icmp_ratelimit: one error a second to one peer,
PEER_BURST = 6  # after a burst of six (XRLIM_BURST_FACTOR)
PEERS = 1024


class RateLimit:
    """One bucket for all errors, and one for each peer that gets them."""

    __slots__ = ("_credit", "_last", "_peers", "burst", "peer_interval", "per_second")

    def __init__(self, per_second: int = PER_SECOND, burst: int = BURST, peer_interval: int = PEER_INTERVAL) -> None:
        self.per_second = per_second
        self.burst = burst
        self.peer_interval = peer_interval
        self._credit = burst * SECOND  # in nanoseconds times messages a second, so that integers hold it exactly
        self._last = 0
        self._peers: dict[IPAddress, tuple[int, int]] = {}

    def allow(self, peer: IPAddress, now: int) -> bool:
        """May an error go to `peer` now? If so it is counted."""
        credit = min(self._credit + (now - self._last) * self.per_second, self.burst * SECOND)
        self._last, self._credit = now, credit
        if credit < SECOND:
            return False
        most = PEER_BURST * self.peer_interval
        last, tokens = self._peers.pop(peer, (now, most))
        tokens = min(tokens + now - last, most)
        allowed = tokens >= self.peer_interval
        if len(self._peers) >= PEERS:
            del self._peers[next(iter(self._peers))]
        self._peers[peer] = (now, tokens - self.peer_interval if allowed else tokens)
        if allowed:
            self._credit -= SECOND
        return allowed
