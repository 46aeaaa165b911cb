"""What a host remembers of servers for fast open (RFC 7413 section 4.1.3), as Linux's tcp_metrics do."""

from __future__ import annotations

LIMIT = 1024  # destinations; the one that was learnt of longest ago makes room


class Known:
    """What is known of a destination."""

    __slots__ = ("cookie", "experiment", "experimental", "mss", "syn_losses")

    def __init__(self) -> None:
        self.mss = 0  # what it announced last; 0: unknown
        self.cookie = b""
        self.experimental = False  # the cookie came in the experimental option
        self.experiment = 0  # 1: kind 34 was not answered, try the experimental option; 2: nor was that
        self.syn_losses = 0  # SYNs with data in a row that were lost, themselves or their answers

    @property
    def wants_experimental(self) -> bool:
        """Which option to use."""
        return self.experimental or (not self.cookie and self.experiment == 1)


class FastOpenCache:
    """Cookies and MSS by source and destination, and the pause after connections were swallowed (section 4.1.3.1)."""

    __slots__ = ("_known", "_paused", "_since")

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], Known] = {}
        self._paused = 0  # how often in a row
        self._since = 0

    def find(self, source: bytes, destination: bytes) -> Known | None:
        """What is known, or None."""
        return self._known.get((source, destination))

    def learn(
        self, source: bytes, destination: bytes, mss: int, cookie: bytes | None, experimental: bool, lost: bool, experiment: int, now: int
    ) -> None:
        """Keep what a SYN,ACK said. `cookie`: None or empty leaves the one known."""
        known = self._known.pop((source, destination), None) or Known()
        self._known[source, destination] = known
        if len(self._known) > LIMIT:
            del self._known[next(iter(self._known))]
        if mss:
            known.mss = mss
        if cookie:
            known.cookie, known.experimental = cookie, experimental
        elif experiment > known.experiment and not known.cookie:
            known.experiment = experiment
        known.syn_losses = known.syn_losses + 1 if lost else 0

    def forget(self, destination: bytes | None = None) -> None:
        """Know nothing any more: of one peer, or of all (`ip tcp_metrics flush`). A pause goes on."""
        for key in [key for key in self._known if destination in (None, key[1])]:
            del self._known[key]

    def disable(self, period: int, now: int) -> None:
        """Pause for `period` ns (0: never), twice as long each time, at most 64 times (tcp_fastopen_blackhole_timeout_sec)."""
        if period:
            self._paused += 1
            self._since = now

    def disabled(self, period: int, now: int) -> bool:
        """Whether there is a pause."""
        return bool(period and self._paused) and now < self._since + (period << min(self._paused - 1, 6))

    def enable(self) -> None:
        """A connection that was opened fast went well."""
        self._paused = 0
