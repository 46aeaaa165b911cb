"""Info lines of IGMP (RFC 2236, RFC 3376)."""

from __future__ import annotations

from stack.ip.formats.igmp import (
    IGMP,
    LEAVE,
    QUERY,
    REPORT_V1,
    REPORT_V2,
    REPORT_V3,
    TYPES,
    GroupQuerySources,
    GroupReport,
    IPv4GroupRecord,
)
from stack.view.info.about import About, Info, speaks

INCLUDING = (1, 3)  # types of records that say from whom a group is wanted; 2 and 4: from whom it is not


@speaks(IGMP)
def message(about: About) -> Info:
    """`Membership Report group 224.0.0.251`, `Membership Query, general`."""
    header: IGMP = about.header
    lines = {
        QUERY: "Membership Query, " + (f"specific for group {header.group}" if any(header.group) else "general"),
        REPORT_V1: f"Membership Report group {header.group}",
        REPORT_V2: f"Membership Report group {header.group}",
        LEAVE: f"Leave Group {header.group}",
        REPORT_V3: "Membership Report",
    }
    version = {QUERY: 2 if header.response_time else 1, REPORT_V1: 1, REPORT_V3: 3}.get(header.type, 2)
    line = lines.get(header.type, TYPES.get(header.type, f"Type 0x{header.type:02x}").capitalize())
    return Info(f"IGMPv{version}", line, "icmp", line)


@speaks(GroupQuerySources)
def query(about: About) -> Info:
    """A version 3 query."""
    group = about.below(IGMP).group
    line = "Membership Query, " + (f"specific for group {group}" if any(group) else "general")
    if sources := about.header.sources.addresses():
        line = f"Membership Query, specific for group {group}, source{'s' if len(sources) > 1 else ''} {_set(sources)}"
    return Info("IGMPv3", line, "icmp", line)


@speaks(GroupReport)
def report(about: About) -> Info:
    """`Membership Report / Join group 224.0.0.251 for any sources`."""
    header: GroupReport = about.header
    line = " / ".join(["Membership Report", *(_record(one) for one in header.records.records())])
    return Info("IGMPv3", line, "icmp", line)


def _record(one: IPv4GroupRecord) -> str:
    sources = one.sources.addresses()
    if not sources:
        return f"Leave group {one.group}" if one.type in INCLUDING else f"Join group {one.group} for any sources"
    if one.type in INCLUDING:
        return f"Join group {one.group} for source{'s in' if len(sources) > 1 else ''} {_set(sources)}"
    verb = {5: "new source", 6: "block source"}.get(one.type)
    if verb is not None:
        return f"Group {one.group}, {verb}{'s' if len(sources) > 1 else ''} {_set(sources)}"
    return f"Join group {one.group}, not source{'s' if len(sources) > 1 else ''} {_set(sources)}"


def _set(sources: tuple[object, ...]) -> str:
    return "{" + ", ".join(map(str, sources)) + "}"
