"""The captures of other projects read as tshark reads them: packets, times, every field, the analysis, the damage."""

import pytest

from stack.capture.fields import Kind, all_fields
from stack.capture.trace import Trace
from tests.capture.build import FINDINGS, NUMBERS, SHARED, needs_shared, needs_tshark, said, shared_files, tshark

FRAME = ["frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "frame.comment"]
DAMAGED = {  # tshark finds these broken too
    "suricata-verify/bug-1450-05__tls_DER-incomplete-content.pcap": (5035, "a packet of 4325376 octets"),
    "gopacket/be__test901.pcapng": (480, "a section of pcapng version 2.0"),
    "dpkt/truncated_dns_2.pcap": (240, "the file ends inside a packet's header: 7 of 16 octets"),
}
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
# Frames of which tshark says something that no rule explains: a fast retransmission where no ACK was repeated.
UNEXPLAINED = {("ndpi/default__pcap__ndpi_match_string_subprotocol__error.pcapng", 13)}
# Streams numbered by what a dissector expects (SOCKS), segments that only tshark finds (MPLS), a header that is damaged.
UNFOLLOWED = {"arkime/mpls-basic.pcap", "ndpi/default__pcap__socks.pcap", "tcpreplay/test.pcap",
              "ndpi/default__pcap__reasm_crash_anon.pcapng"}  # fmt: skip


@needs_shared
@needs_tshark
@pytest.mark.parametrize("name", shared_files())
def test_a_capture_reads_as_tshark_reads_it(name: str) -> None:
    unlike = tuple(prefix for file, prefix in UNLIKE if file == name) or ("never",)
    trace = Trace.read(SHARED / name)
    # The one long capture is ten thousand times the same frame: of interest to the analysis alone.
    fields = [field for field in WRITTEN if not field.startswith(unlike)] if len(trace) < 5000 else []
    wanted = ["frame.protocols", *FRAME, *fields, *FINDINGS, *NUMBERS]
    rows, complaint = tshark(SHARED / name, "-T", "fields", *(word for field in wanted for word in ("-e", field)))
    for row, found in zip(rows, trace.fields(*wanted[1:]), strict=True):
        theirs = dict(zip(wanted, map(said, row), strict=True))
        ours = dict(zip(wanted[1:], found, strict=True))
        protocols = set(theirs["frame.protocols"].split(":"))
        compared = list(FRAME)
        if not DEEPER & protocols:
            compared += fields
        if "tcp" in protocols and name not in UNFOLLOWED and (name, int(ours["frame.number"])) not in UNEXPLAINED:
            compared += FINDINGS + NUMBERS
        assert {field: ours[field] for field in compared} == {field: theirs[field] for field in compared}
    assert bool(trace.damage) == bool(complaint)
    if trace.damage is not None:
        assert trace.damage.offset == DAMAGED[name][0]
        assert trace.damage.reason.startswith(DAMAGED[name][1])
