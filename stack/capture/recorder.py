"""Recording: taps of interfaces and links write what they see to a file, or keep it, and give a trace of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stack.capture.error import CaptureError
from stack.capture.frame import Frame
from stack.capture.frame import Interface as Where
from stack.capture.trace import Trace
from stack.capture.writer import check_suffix, open_writer
from stack.codec.packet import Packet

if TYPE_CHECKING:
    from stack.link.direction import Direction
    from stack.link.interface import Interface

ETHERNET = 1


class Sink(Protocol):
    """Where recorded packets go."""

    def add_interface(self, name: str, linktype: int = ETHERNET, description: str | None = None) -> int: ...
    def add_names(self, names: Mapping[str, Sequence[str]]) -> None: ...
    def add_tls_secrets(self, keylog: str) -> None: ...


class Memory:
    """Recorded packets, kept as they are; their octets are made when someone looks. A source of traces."""

    def __init__(self) -> None:
        self.damage: CaptureError | None = None
        self.interfaces: list[Where] = []
        self.names: dict[str, list[str]] = {}
        self.secrets: list[bytes] = []
        self._entries: list[tuple[int, Packet, int, str | None, int | None]] = []

    def add_interface(self, name: str, linktype: int = ETHERNET, description: str | None = None) -> int:
        """Describe an interface; its number stands for it in `keep`."""
        self.interfaces.append(Where(name, linktype, description or ""))
        return len(self.interfaces) - 1

    def add_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """Names of addresses."""
        for address, known in names.items():
            self.names.setdefault(address, []).extend(known)

    def add_tls_secrets(self, keylog: str) -> None:
        """Lines as in an SSLKEYLOGFILE."""
        self.secrets.append(keylog.encode())

    def keep(self, time: int, packet: Packet, interface: int, comment: str | None, snaplen: int | None) -> None:
        """One packet."""
        self._entries.append((time, packet, interface, comment, snaplen))

    def __len__(self) -> int:
        return len(self._entries)

    def frame(self, index: int) -> Frame:
        """The packet at this place, as octets."""
        time, packet, interface, comment, snaplen = self._entries[index]
        data = bytes(packet)
        return Frame(time, data[:snaplen], len(data), self.interfaces[interface], comment)


class Recorder:
    """Records what taps see, in the order in which they see it, until it is closed.

    `path` ends in .pcap or .pcapng, with .gz or without; None keeps the packets in memory. `names` (address → names)
    go into the capture. `snaplen` cuts frames to so many octets. `epoch` (ns) is added to every time: the instant, since
    1970, at which the network's clock began. `trace` is there from the beginning and grows.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        names: Mapping[str, Sequence[str]] | None = None,
        *,
        snaplen: int | None = None,
        epoch: int = 0,
        kind: type[Trace] = Trace,
    ) -> None:
        self.path = None if path is None else str(path)
        self._snaplen = snaplen
        self._epoch = epoch
        self._kind = kind
        self._taps: list[tuple[list[Any], Any]] = []
        self._faults: list[str] = []
        self._faulted: Packet | None = None
        self._interfaces: dict[tuple[str, int], int] = {}
        self._trace: Trace | None = None
        self._open = True
        if self.path is None:
            self._memory: Memory | None = Memory()
            self._writer: Any = None
            self._sink: Sink = self._memory
        else:
            check_suffix(self.path)
            self._memory = None
            self._sink = self._writer = open_writer(self.path)
        if names:
            self._sink.add_names(names)

    # --- what is listened to

    def attach(
        self,
        interface: Interface,
        name: str | None = None,
        *,
        incoming: bool = True,
        outgoing: bool = True,
        description: str | None = None,
    ) -> None:
        """Record the frames of an interface, each once: what it sends as it is sent, what arrives as it arrives."""
        number = self._number(name or interface.name, description)
        if interface.loopback:  # what it sends arrives at itself: seen on the way out
            incoming, outgoing = False, True
        write = self._write

        def tap(time: int, packet: Packet, interface: Interface, is_outgoing: bool) -> None:
            if outgoing if is_outgoing else incoming:
                write(time, packet, number)

        self._listen(interface.taps, tap)

    def attach_direction(self, direction: Direction, name: str | None = None, *, description: str | None = None) -> None:
        """Record each frame that enters a direction of a link, with a note of what the link does to it.

        Directions attached under one name share one interface of the capture.
        """
        number = self._number(name or direction.link, description)
        write = self._write

        def fault(time: int, packet: Packet, what: str) -> None:
            if self._faulted is not packet:
                self._faulted = packet
                self._faults.clear()
            self._faults.append(what)

        def tap(time: int, packet: Packet, direction: Direction) -> None:
            comment = packet.cause
            if self._faulted is packet:
                notes = "\n".join(f"fault: {what}" for what in self._faults)
                comment = f"{comment}\n{notes}" if comment else notes
                self._faulted = None
            write(time, packet, number, comment)

        self._listen(direction.on_fault, fault)
        self._listen(direction.taps, tap)

    def record(self, time: int, packet: Packet, interface: str = "", comment: str | None = None) -> None:
        """Record one packet by hand; `comment` in place of its cause."""
        self._write(time, packet, self._number(interface, None, packet.linktype), comment or packet.cause)

    def add_tls_secrets(self, keylog: str) -> None:
        """Lines as in an SSLKEYLOGFILE, so that Wireshark decrypts what follows."""
        self._sink.add_tls_secrets(keylog)

    # --- what comes of it

    @property
    def trace(self) -> Trace:
        """What has been recorded so far, and what will be: it grows."""
        if self._trace is None:
            if self._memory is not None:
                self._trace = self._kind(self._memory)
            else:
                from stack.capture.reader import CaptureFile

                assert self.path is not None
                self._trace = self._kind(CaptureFile(self.path, self._writer.output))
        return self._trace

    def close(self) -> Trace:
        """Stop listening, finish the file, give the trace. A second call changes nothing."""
        if self._open:
            self._open = False
            for taps, tap in self._taps:
                if tap in taps:
                    taps.remove(tap)
            self._taps.clear()
            if self._writer is not None:
                self._writer.close()
        return self.trace

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _listen(self, taps: list[Any], tap: Callable[..., None]) -> None:
        taps.append(tap)
        self._taps.append((taps, tap))

    def _number(self, name: str, description: str | None, linktype: int = ETHERNET) -> int:
        number = self._interfaces.get((name, linktype))
        if number is None:
            number = self._interfaces[name, linktype] = self._sink.add_interface(name, linktype, description)
        return number

    def _write(self, time: int, packet: Packet, number: int, comment: str | None = None) -> None:
        comment = comment or packet.cause
        if self._memory is not None:
            self._memory.keep(time + self._epoch, packet, number, comment, self._snaplen)
            return
        data = bytes(packet)
        if self._snaplen is None:
            self._writer.write_frame(time + self._epoch, data, number, comment)
        else:
            self._writer.write_frame(time + self._epoch, data[: self._snaplen], number, comment, len(data))


def faults_of(comment: str | None) -> Iterator[str]:
    """What a link did to a packet, from the comment that `attach_direction` made."""
    for line in (comment or "").split("\n"):
        if line.startswith("fault: "):
            yield line[len("fault: ") :]
