"""/proc/net/tcp and tcp6 as scripts look through them: `grep " 0A " /proc/net/tcp | grep ":1F90"` (proc(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.address import IPAddress
from stack.tcp.tcp_info import STATES
from stack.udp.ports import V6

if TYPE_CHECKING:
    from stack.testing.drill.emulated_process import EmulatedProcess

FILES = {"/proc/net/tcp": 4, "/proc/net/tcp6": 16}
_LISTEN = 10


def lines(process: EmulatedProcess, size: int) -> list[str]:
    """The sockets whose addresses have `size` octets."""
    tcp = process.host.engine.tcp
    nobody = bytes(size)
    found: list[tuple[tuple[bytes, int], tuple[bytes, int], int]] = []
    for port, listeners in tcp.listeners.items():
        for one in listeners:
            address = one.claim.address
            if (len(address) if address is not None else 16 if one.claim.versions & V6 else 4) == size:
                found.append(((address or nobody, port), (nobody, 0), _LISTEN))
    for connection in tcp.connections.values():
        if connection.remote is not None and len(connection.remote[0]) == size:
            found.append((connection.local, connection.remote, STATES[connection.state]))
    return [f"{at:4}: {_end(*local)} {_end(*remote)} {state:02X} " for at, (local, remote, state) in enumerate(found)]


def _end(address: IPAddress | bytes, port: int) -> str:
    octets = bytes(address)
    words = [octets[at : at + 4][::-1].hex().upper() for at in range(0, len(octets), 4)]
    return f"{''.join(words)}:{port:04X}"
