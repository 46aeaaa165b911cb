"""Losses found by number, for when RACK is off: enough segments above are SACKed (IsLost of RFC 6675 section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.recovery.retransmit_queue import LOST, RESENT, SACKED

if TYPE_CHECKING:
    from stack.tcp.block import Block


def mark_lost(b: Block) -> None:
    """What has as many SACKed segments above it as reordering may explain is lost (tcp_mark_head_lost)."""
    rtx = b.rtx
    above = rtx.sacked_out
    threshold = b.recovery.reordering
    for record in rtx.records:
        if above < threshold:
            return
        if record.marks & SACKED:
            above -= 1
        elif not record.marks & (LOST | RESENT):
            rtx.mark_lost(record)
