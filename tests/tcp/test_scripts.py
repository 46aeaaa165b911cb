"""Packetdrill scripts of other stacks, which Linux passes: the engine does what they say, segment by segment."""

from pathlib import Path

import pytest

from stack.tcp.settings import TcpSettings
from tests.tcp.scripts import FOLDER, RELAXED, STRICT, Player, relative

BEYOND = "Linux takes text beyond the window that it offered"
KNOWN = {
    "packetdrill/google/tcp/cubic/cubic-rto-ss-ca-cwnd-bump.pkt": "wants a tail loss probe (RFC 8985)",
    "packetdrill/linux-kernel/tcp_rcv_big_endseq.pkt": BEYOND,
    "packetdrill/linux-kernel/tcp_rcv_neg_window.pkt": BEYOND,
    "packetdrill/linux-kernel/tcp_rcv_toobig.pkt": BEYOND,
    "packetdrill/linux-kernel/tcp_rcv_zero_wnd_fin.pkt": BEYOND,
    "packetdrill/google/tcp/mtu_probe/basic-v4.pkt": "wants packetization layer path MTU discovery (RFC 4821)",
    "packetdrill/linux-kernel/tcp_rcv_wnd_shrink_allowed.pkt": "wants a sysctl that lets the window shrink",
    "packetdrill/linux-kernel/tcp_ooo-before-and-after-accept.pkt": "two connections; the player has one",
    "packetdrill/linux-kernel/tcp_basic_server.pkt": "wants a FIN acknowledged late",
}


def scripts() -> list[object]:
    found = sorted([*RELAXED.rglob("*.pkt"), *STRICT.rglob("*.pkt")])
    if not found:
        return [pytest.param(FOLDER, marks=pytest.mark.skip(reason="the scripts are not here: ../shared/packetdrill"))]
    return [
        pytest.param(path, id=relative(path), marks=[pytest.mark.xfail(reason=KNOWN[relative(path)])] if relative(path) in KNOWN else [])
        for path in found
    ]


@pytest.mark.parametrize("path", scripts())
def test_a_script_of_another_stack(path: Path) -> None:
    try:
        Player(TcpSettings(timestamps=False)).play(path)
    except NotImplementedError as missing:
        pytest.skip(f"the player does not know {missing}")
