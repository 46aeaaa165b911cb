"""`trace.fields` prints what `tshark -T fields` prints, for every field there is, over the shared captures."""

import pytest

from stack.capture.fields import Kind, all_fields
from stack.capture.trace import Trace
from stack.codec.registry import load_formats
from tests.capture.build import SHARED, ask, needs_shared, needs_tshark, shared_files

# Encapsulations that have no format here: what is inside them only tshark sees.
DEEPER = {"gre", "teredo", "vxlan", "mpls", "gtp", "ppp", "pwethheuristic", "nfs"}
# Wireshark numbers by conversations that dissectors expect (SNMP's) before they take place.
NOT_COMPARED = {"udp.stream", "frame.interface_name"}
WRITTEN = [
    field.name
    for field in all_fields().values()
    if field.kind is not Kind.PRESENCE and not field.name.startswith("tcp") and field.name not in NOT_COMPARED
]
# A message in pieces, or with an option that ends early: tshark reassembles the first and stops at the second.
UNLIKE = {
    ("suricata-verify/dns__dns-answer-emptydata__input.pcap", "dns.count"),
    ("suricata-verify/dns__dns-incomplete__input.pcap", "dns."),
    ("ndpi/default__pcap__dns_fragmented.pcap", "dns.resp.type"),  # tshark counts those in an NSEC3 record too
    ("zeek/ipv4__fragmented-1.pcap", "udp.payload"),
    ("tcpdump/icmpv6-rfc7112.pcap", "ip"),
    ("pcapplusplus/ip4_bad_fragment.pcap", "ip"),
}


@needs_shared
@needs_tshark
@pytest.mark.parametrize("name", shared_files())
def test_fields_are_tsharks(name: str) -> None:
    unlike = tuple(prefix for file, prefix in UNLIKE if file == name) or ("never",)
    compared = [field for field in WRITTEN if not field.startswith(unlike)]
    rows = ask(SHARED / name, "frame.number", "frame.protocols", *compared)
    for row, found in zip(rows, Trace.read(SHARED / name).fields(*compared), strict=True):
        if not DEEPER & set(row[1].split(":")):
            assert dict(zip(compared, found, strict=True)) == dict(zip(compared, row[2:], strict=True)), f"frame {row[0]}"


def test_a_field_names_a_header_that_there_is() -> None:
    """Fields find headers by the name of their class: a format that is renamed must not make its fields empty."""
    from stack.codec.header import Header

    load_formats()
    names: set[str] = set()
    kinds: list[type[Header]] = [Header]
    while kinds:
        kind = kinds.pop()
        names.add(kind.__name__)
        kinds.extend(kind.__subclasses__())
    for field in all_fields().values():
        for cell in field.read.__closure__ or ():
            wanted = cell.cell_contents
            for one in wanted if isinstance(wanted, tuple) else (wanted,):
                if isinstance(one, str) and one[:1].isupper():
                    assert one in names, f"{field.name} looks for {one}"
