"""What ICMP messages do to a connection (RFC 9293 section 3.9.2.2, RFC 5927, RFC 1191, RFC 8201)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stack.tcp.block import NEVER
from stack.tcp.ending import become_closed
from stack.tcp.recovery import states
from stack.tcp.recovery.timer import RETRANSMISSION, set_timer
from stack.tcp.sending.mtu_probing import synchronize
from stack.tcp.sending.transmit import output
from stack.tcp.seq import unwrap
from stack.tcp.signing.ao import AO_KIND
from stack.tcp.state import CLOSED, HAS_DATA, SYN_RECEIVED, SYN_SENT
from stack.tcp.timeouts import retransmission_timeout

if TYPE_CHECKING:
    from stack.tcp.block import Block

_NETWORK = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPROTO})
_UNSIGNED = frozenset({errno.ENOPROTOOPT, errno.ECONNREFUSED, errno.EACCES})  # of codes 2 and 3; of ICMPv6's 1 and 4
_MINIMUM_V4 = 68  # RFC 791
_BELIEVED_V4 = 552  # Linux's net.ipv4.route.min_pmtu: a message that says less may be forged, to make us send dust
_MINIMUM_V6 = 1280  # RFC 8200


def outstanding(b: Block, sequence: int) -> bool:
    """Whether a segment with this number may be under way."""
    return b.snd.una <= unwrap(sequence, b.snd.una) <= b.snd.nxt


def believable(b: Block, sequence: int | None) -> bool:
    """Whether the segment quoted in the message is one that is outstanding (RFC 5927 section 4)."""
    if sequence is None or outstanding(b, sequence):
        return True
    b.counters.OutOfWindowIcmps += 1
    return False


def authenticated(b: Block) -> bool:
    """Whether ICMP messages, which nobody signed, are to do nothing to the connection (RFC 5925 section 7.8)."""
    if b.signature is None or b.signature.kind != AO_KIND or b.state in (SYN_SENT, SYN_RECEIVED):
        return False
    b.counters.TCPAODroppedIcmps += 1
    return True


def icmp_error(b: Block, error: int, hard: bool, now: int, sequence: int | None = None) -> None:
    """An unreachable or time-exceeded message about a segment of ours.

    It ends an attempt to connect, as in Linux (RFC 5461 section 4). A synchronized connection keeps it in mind: it is
    the error given when the connection times out. A hard one ends it only under `abort_on_hard_icmp`.
    """
    if b.state is CLOSED or not believable(b, sequence) or (error in _UNSIGNED and authenticated(b)):
        return
    if b.listener is not None:
        # A request that nobody knows of yet goes in silence, and only where the network says so (tcp_req_err)
        if hard if len(b.local[0]) == 16 else error == errno.EPROTO or (error in _NETWORK and not hard):
            become_closed(b, now)
        return
    taken = b.fast is not None and b.fast.usable and b.fast.accepted  # the program has it: as if the handshake were over
    if b.state is SYN_SENT or (b.state is SYN_RECEIVED and not taken) or (hard and b.settings.abort_on_hard_icmp):
        become_closed(b, now, error)
        return
    b.soft_error = error
    if b.events is not None:
        b.events.append((now, "icmp", error))


def connectivity_disrupted(b: Block, sequence: int, now: int) -> None:
    """A router has no way for what was sent again: that is no congestion, so one backoff is taken back (RFC 6069, tcp_ld_RTO_revert)."""
    rtt, records = b.rtt, b.rtx.records
    if b.state not in HAS_DATA or unwrap(sequence, b.snd.una) != b.snd.una or not b.retries or not rtt.backoff or not records:
        return
    if authenticated(b) or b.pending != RETRANSMISSION:
        return
    rtt.take_back(b.settings)
    at = records[0].sent_at + rtt.rto
    if at > now:
        set_timer(b, RETRANSMISSION, at)
    else:
        retransmission_timeout(b, now)
        output(b, now)


def _segment(b: Block, mtu: int) -> int:
    v6 = len(b.local[0]) == 16
    return max(mtu, _MINIMUM_V6 if v6 else _MINIMUM_V4) - (60 if v6 else 40)


def route_mtu(b: Block, mtu: int, now: int) -> None:
    """The route is another one, whose packets may have `mtu` octets: that may be more than before, too."""
    mss = _segment(b, mtu)
    if mss > b.path_mss and b.peer_mss:
        synchronize(b, mss)
    else:
        path_mtu(b, mtu, now)


def path_mtu(b: Block, mtu: int, now: int, sequence: int | None = None) -> None:
    """The path carries packets of `mtu` octets only: smaller segments from now on, and what was too big goes again."""
    if not believable(b, sequence):
        return
    if sequence is not None and len(b.local[0]) == 4 and authenticated(b):
        return  # code 4; an interface that shrinks, and ICMPv6's message of its own, count
    if sequence is not None and len(b.local[0]) == 4:
        mtu = max(mtu, _BELIEVED_V4)
    elif sequence is not None and mtu < _MINIMUM_V6:
        return  # "it must discard it" (RFC 8201 section 4)
    mss = _segment(b, mtu)
    if mss >= (b.path_mss if b.mtu_search is None else b.mtu_search.path):
        return
    before = b.snd.mss
    synchronize(b, mss)
    if b.state is SYN_SENT:
        b.rcv.mss = min(b.rcv.mss, mss)
        if b.fast is not None and b.fast.text:  # the SYN was too big with its data
            b.syn_due = f"the path carries {mtu} octets"
            b.timer_at = NEVER
            output(b, now)
    if not b.peer_mss:
        return  # before the SYNs have met there is nothing to cut
    if b.state in HAS_DATA and b.snd.mss < before:
        states.repackaged(b, now)
        output(b, now)
