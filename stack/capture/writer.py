"""A writer for a path: pcap or pcapng by its suffix, `.gz` after it for a compressed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stack.capture.frame import Interface

if TYPE_CHECKING:
    from stack.capture.pcap import PcapWriter
    from stack.capture.pcapng import PcapngWriter
    from stack.capture.trace import Trace

SUFFIXES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz")


def check_suffix(path: str) -> str:
    """"pcap" or "pcapng"; raises `ValueError` for a path that says neither."""
    for suffix in SUFFIXES:
        if path.lower().endswith(suffix):
            return suffix.split(".")[1]
    raise ValueError(f"{path!r} does not say a format; expected a name that ends in {', '.join(SUFFIXES)}")


def open_writer(path: str) -> PcapWriter | PcapngWriter:
    """Open `path` for writing; what was there is gone. scapy is imported here, and not before."""
    kind = check_suffix(path)
    from stack.capture.output import Output
    from stack.capture.pcap import PcapWriter
    from stack.capture.pcapng import PcapngWriter

    output = Output(path)
    return PcapWriter(output) if kind == "pcap" else PcapngWriter(output)


def write_records(writer: PcapWriter | PcapngWriter, trace: Trace, names: Mapping[str, Sequence[str]]) -> None:
    """The records of a trace, and what the capture knows beside them."""
    numbers: dict[Interface, int] = {}
    for interface in trace.interfaces:
        if interface not in numbers:
            numbers[interface] = writer.add_interface(*interface)
    if names:
        writer.add_names(names)
    for secrets in trace.secrets:
        writer.add_tls_secrets(secrets.decode("utf-8", "replace"))
    for record in trace[:]:
        frame = record.frame
        writer.write_frame(frame.time, frame.data, numbers[frame.interface], frame.comment, frame.length)
