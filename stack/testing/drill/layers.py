"""What is around a packet in a script: IP headers, GRE, MPLS; and what a script says about an IP header."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IPInfo:
    """Of an IP header what the script says: None is not said. `ecn` is one of noecn, ect0, ect1, ect01, ce."""

    ecn: str | None = None
    tos: int | None = None
    ttl: int | None = None
    flow_label: int | None = None

    def __str__(self) -> str:
        said = [self.ecn] if self.ecn is not None else []
        for name, value in (("tos", self.tos), ("ttl", self.ttl), ("flowlabel", self.flow_label)):
            if value is not None:
                said.append(f"{name} {value}" if name == "ttl" else f"{name} {value:#x}")
        return f"({', '.join(said)})" if self.ecn is None else f"[{', '.join(said)}]"


@dataclass(frozen=True, slots=True)
class IP:
    """An outer IP header: `ipv4 192.0.2.1 > 192.168.0.1:`."""

    version: int
    source: str
    destination: str
    info: IPInfo | None = None


@dataclass(frozen=True, slots=True)
class GRE:
    """A GRE header (RFC 2784, RFC 2890); `flags` are its first two octets. None: not said, a plain header carries nothing else."""

    flags: int = 0
    checksum: int | None = None
    offset: int | None = None
    key: int | None = None
    sequence: int | None = None

    def __str__(self) -> str:
        fields = {"sum": self.checksum, "off": self.offset, "key": self.key, "seq": self.sequence}
        return ", ".join([f"flags {self.flags:#x}", *(f"{name} {value}" for name, value in fields.items() if value is not None)])


@dataclass(frozen=True, slots=True)
class MPLSEntry:
    """One entry of an MPLS label stack (RFC 3032)."""

    label: int
    traffic_class: int
    bottom: bool
    ttl: int

    def __str__(self) -> str:
        bottom = "[S], " if self.bottom else ""
        return f"(label {self.label}, tc {self.traffic_class}, {bottom}ttl {self.ttl})"


@dataclass(frozen=True, slots=True)
class MPLS:
    """An MPLS label stack, the outermost entry first."""

    entries: tuple[MPLSEntry, ...]
