"""What a host counts of its TCP, under Linux's names: the TCP MIB (RFC 4022) and `TcpExt` of include/uapi/linux/snmp.h.

Each is counted where Linux's net/ipv4/tcp*.c counts it. What a connection counts for itself anyway (segments in and out,
segments delivered) is not counted twice: it is added when the connection is forgotten, or when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from stack.tcp.state import CLOSE_WAIT, ESTABLISHED

if TYPE_CHECKING:
    from stack.tcp.block import Block


@dataclass(slots=True)
class Counters:
    """One host's, for all its connections and listeners together."""

    # RFC 4022
    ActiveOpens: int = 0  # first SYNs of connect()
    PassiveOpens: int = 0  # connections that a listener made
    AttemptFails: int = 0  # openings that came to nothing
    EstabResets: int = 0  # ESTABLISHED or CLOSE-WAIT straight to CLOSED
    InSegs: int = 0  # with those that are damaged; what connections count (`segments_in`) is added, see `forget`
    OutSegs: int = 0  # without repetitions; what connections count (`segments_out`) is added
    RetransSegs: int = 0
    InErrs: int = 0  # damaged, or a SYN on an established connection
    OutRsts: int = 0
    InCsumErrors: int = 0
    # TcpExt: opening
    SyncookiesSent: int = 0
    SyncookiesRecv: int = 0  # good ones
    SyncookiesFailed: int = 0
    EmbryonicRsts: int = 0  # half-open connections that a RST or a bad SYN ended
    ListenOverflows: int = 0  # the queue to accept was full
    ListenDrops: int = 0  # SYNs and last ACKs that a listener dropped for any reason
    TCPDeferAcceptDrop: int = 0  # last ACKs without the data that TCP_DEFER_ACCEPT waits for
    TCPReqQFullDoCookies: int = 0  # too many half-open connections: a cookie
    TCPReqQFullDrop: int = 0  # or, without cookies, nothing
    TCPSynRetrans: int = 0  # SYNs and SYN,ACKs sent again
    TCPFastOpenActive: int = 0  # data in our SYN was taken
    TCPFastOpenActiveFail: int = 0  # or not
    TCPFastOpenPassive: int = 0  # connections that a SYN opened at once
    TCPFastOpenPassiveFail: int = 0  # the cookie was wrong
    TCPFastOpenListenOverflow: int = 0
    TCPFastOpenCookieReqd: int = 0
    TCPFastOpenBlackhole: int = 0  # fast open paused, since SYNs with data vanish
    TCPFastOpenPassiveAltKey: int = 0  # the cookie was of the backup key
    # Ending
    TW: int = 0  # connections that came to TIME-WAIT, or to FIN-WAIT-2 after close()
    TWKilled: int = 0  # those that stay there for four seconds at most
    TCPAbortOnData: int = 0  # data after close(), or a linger time of 0
    TCPAbortOnClose: int = 0  # close() with unread data
    TCPAbortOnTimeout: int = 0
    TCPAbortOnLinger: int = 0  # TCP_LINGER2 below 0
    # Segments that are not acceptable, and what they bring out
    PAWSActive: int = 0  # a SYN,ACK echoes a timestamp that we did not send
    PAWSEstab: int = 0
    PAWSOldAck: int = 0  # an ACK that was overtaken
    PAWSTimewait: int = 0
    BeyondWindow: int = 0
    OutOfWindowIcmps: int = 0
    TCPChallengeACK: int = 0
    TCPSYNChallenge: int = 0
    TCPACKSkippedSynRecv: int = 0  # ACKs that were not sent since one had been just before, by the state or the reason
    TCPACKSkippedPAWS: int = 0
    TCPACKSkippedSeq: int = 0
    TCPACKSkippedFinWait2: int = 0
    TCPACKSkippedTimeWait: int = 0
    TCPACKSkippedChallenge: int = 0
    TCPMD5NotFound: int = 0
    TCPMD5Unexpected: int = 0
    TCPMD5Failure: int = 0
    TCPAORequired: int = 0
    TCPAOBad: int = 0
    TCPAOKeyNotFound: int = 0
    TCPAOGood: int = 0
    TCPAODroppedIcmps: int = 0
    # Receiving
    TCPHPHits: int = 0  # segments with text that header prediction took (prediction.py, whose conditions are not all Linux's)
    DelayedACKs: int = 0  # that the timer sent
    DelayedACKLost: int = 0  # text came again as a whole
    TCPAckCompressed: int = 0  # ACKs of segments above a gap that another one spared
    TCPOFOQueue: int = 0  # segments above a gap
    TCPOFODrop: int = 0  # for which there was no memory
    TCPOFOMerge: int = 0  # held already, or whose text a later one brought as a whole
    TCPDSACKOldSent: int = 0  # reports of text that came twice, below RCV.NXT
    TCPDSACKOfoSent: int = 0  # and above a gap
    TCPFromZeroWindowAdv: int = 0
    TCPToZeroWindowAdv: int = 0
    TCPWantZeroWindowAdv: int = 0  # would be 0, but more had been offered
    TCPZeroWindowDrop: int = 0  # text that a closed window did not let in
    TCPRcvQDrop: int = 0  # text in order for which there was no memory
    PruneCalled: int = 0  # the receive buffer was full,
    OfoPruned: int = 0  # text above a gap was given up for what comes before it,
    RcvPruned: int = 0  # and that did not help
    TCPRcvCollapsed: int = 0  # segments that were packed tightly before that
    # Sending
    TCPOrigDataSent: int = 0  # segments with new text or a FIN
    TCPDelivered: int = 0  # segments that arrived, as far as ACKs tell; counted by connections
    TCPDeliveredCE: int = 0  # those with a mark; likewise
    TCPPureAcks: int = 0  # ACKs without text, which header prediction did not take or which change the window
    TCPHPAcks: int = 0  # ACKs that it took
    TCPWinProbe: int = 0  # without text
    TCPKeepAlive: int = 0
    TCPMTUPFail: int = 0
    TCPMTUPSuccess: int = 0
    TCPHystartTrainDetect: int = 0  # slow start ended by HyStart, by trains of ACKs or by delay; and the windows then, added up
    TCPHystartTrainCwnd: int = 0
    TCPHystartDelayDetect: int = 0
    TCPHystartDelayCwnd: int = 0
    # Recovery
    TCPRenoRecovery: int = 0  # fast recoveries, without SACK
    TCPSackRecovery: int = 0  # and with it
    TCPRenoRecoveryFail: int = 0  # in which the timer went off
    TCPSackRecoveryFail: int = 0
    TCPRenoFailures: int = 0  # the timer went off in Disorder
    TCPSackFailures: int = 0
    TCPLossFailures: int = 0  # and in Loss
    TCPTimeouts: int = 0
    TCPSpuriousRTOs: int = 0  # found by F-RTO
    TCPLossProbes: int = 0
    TCPLossProbeRecovery: int = 0  # the probe repaired a loss
    TCPFastRetrans: int = 0
    TCPSlowStartRetrans: int = 0
    TCPLostRetransmit: int = 0  # repetitions that were lost
    TCPSACKReneging: int = 0
    TCPSACKDiscard: int = 0  # blocks that cannot be true
    TCPSACKReorder: int = 0
    TCPRenoReorder: int = 0
    TCPTSReorder: int = 0
    TCPFullUndo: int = 0
    TCPPartialUndo: int = 0
    TCPDSACKUndo: int = 0
    TCPLossUndo: int = 0
    TCPDSACKRecv: int = 0
    TCPDSACKOfoRecv: int = 0
    TCPDSACKRecvSegs: int = 0  # segments that they tell of
    TCPDSACKIgnoredOld: int = 0
    TCPDSACKIgnoredNoUndo: int = 0
    TCPDSACKIgnoredDubious: int = 0  # the network made the duplicate, we did not

    def add(self, name: str) -> None:
        """One more of what the caller has the name of."""
        setattr(self, name, getattr(self, name) + 1)

    def forget(self, b: Block) -> None:
        """A connection is about to be forgotten: keep what it counted."""
        self.InSegs += max(0, b.segments_in - b.passive)  # the SYN was the host's
        self.OutSegs += b.segments_out
        self.TCPDelivered += max(0, b.rtx.delivered - b.passive)  # not the SYN,ACK, as in Linux
        self.TCPDeliveredCE += b.rtx.delivered_ce

    def including(self, connections: Iterable[Block]) -> dict[str, int]:
        """All by nstat(8)'s names, with what these connections have counted, and the gauge TcpCurrEstab."""
        total, established = replace(self), 0
        for b in connections:
            total.forget(b)
            established += b.state is ESTABLISHED or b.state is CLOSE_WAIT
        return {"TcpCurrEstab": established, **{name: getattr(total, field) for name, field in NAMES.items()}}


_RFC4022 = frozenset({
    "ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "InSegs", "OutSegs", "RetransSegs", "InErrs", "OutRsts", "InCsumErrors",
})  # fmt: skip
NAMES = {f"{'Tcp' if field.name in _RFC4022 else 'TcpExt'}{field.name}": field.name for field in fields(Counters)}

# What Linux counts as well, and a host here has not: why a zero would say nothing.
_MEMORY, _QUEUES, _BUFFERS = "no host runs out of memory", "a segment leaves, and is taken, at once", "an account of the kernel's buffers"
LEFT_OUT = {
    **dict.fromkeys((
        "LockDroppedIcmps", "DelayedACKLocked", "TCPBacklogDrop", "TCPBacklogCoalesce", "TCPSpuriousRtxHostQueues", "TCPAutoCorking",
        "BusyPollRxPackets", "TCPRetransFail",
    ), _QUEUES),
    **dict.fromkeys((
        "TCPAbortOnMemory", "TCPAbortFailed", "TCPMemoryPressures", "TCPMemoryPressuresChrono", "PFMemallocDrop", "TCPTimeWaitOverflow",
        "TCPWqueueTooBig",
    ), _MEMORY),
    **dict.fromkeys(("TCPSackShifted", "TCPSackMerged", "TCPSackShiftFallback", "TCPRcvCoalesce"), _BUFFERS),
    **dict.fromkeys(("TcpTimeoutRehash", "TcpDuplicateDataRehash", "TCPPLBRehash"), "a connection's flow label stays"),
    **dict.fromkeys(("TCPMigrateReqSuccess", "TCPMigrateReqFailure"), "no listener takes over what another one began"),
    "TWRecycled": "Linux takes no TIME-WAIT for another connection any more, either", "TSEcrRejected": "half-open connections do not look at TSecr",
    "ArpFilter": "ARP has no filter", "IPReversePathFilter": "nothing is filtered by its way back", "TCPMinTTLDrop": "IP_MINTTL is not done",
}  # fmt: skip
