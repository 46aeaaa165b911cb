"""Info lines of UDP datagrams (RFC 768)."""

from __future__ import annotations

from stack.udp.formats.udp import UDP
from stack.view.info.about import About, Info, speaks


@speaks(UDP)
def datagram(about: About) -> Info:
    """`5000 → 53 Len=20`."""
    header: UDP = about.header
    line = f"{header.source} → {header.destination} Len={about.length}"
    return Info("UDP", line, "udp", f"UDP Len={about.length}")
