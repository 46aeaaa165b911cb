"""Counters held to the kernel's: the same segments for Linux and for a host of ours, and every counter of TCP is the same.

What a story is about is written beside it, and held on any machine.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest

import stack
from stack import ICMP, IPv4
from stack.tcp.formats.options import FastOpenCookie
from tests.tap.counting import Raw, Story, compare, run

TCP = socket.IPPROTO_TCP
SENDS: tuple[tuple[Any, ...], ...] = (("sleep", 0.3), ("send", 10_000), ("sleep", 60))


def bad_segments(make: Any) -> None:
    raw: Raw = make().open()
    raw.send("P.", 3_000_000, 10)  # beyond the window
    raw.wait(0.6)
    raw.send("R", 50)  # inside the window: challenged
    raw.wait(0.1)
    raw.send("S", 50, window=1000)  # not again so soon
    raw.wait(0.6)
    raw.send("S", 5_000_000)
    raw.wait(0.6)
    raw.send(".", 1, 0, ack=5000)  # of something not sent
    raw.send("P.", 1, 10, checksum=1)
    raw.wait(0.6)
    raw.send(".", -5)
    raw.send(".", -5)
    raw.wait(0.1)


def old_text(make: Any) -> None:
    raw: Raw = make().open()
    raw.send("P.", 1, 100)
    raw.send("P.", 1, 100)
    raw.wait(0.1)
    raw.send("P.", 51, 100)  # half of it is old
    raw.wait(0.1)


def above_a_gap(make: Any) -> None:
    raw: Raw = make().open()
    for seq, text in ((1001, 1000), (3001, 1000), (1001, 1000), (501, 3000), (1, 1000), (4001, 1000)):
        raw.send(".", seq, text)
        raw.wait(0.05)
    raw.wait(0.1)


def fast_retransmit(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.4)
    for right in (2001, 3001, 4001):
        raw.send(ack=1, sack=((1001, right),))
    raw.wait(0.05)
    raw.send(ack=10_001)
    raw.wait(0.2)
    raw.send(ack=10_001, sack=((1, 1001),))  # D-SACK: it had arrived
    raw.send(ack=10_001, sack=((1, 1001),))  # and twice more than it was sent
    raw.wait(0.1)


def without_sack(make: Any) -> None:
    raw: Raw = make(sack=False).open()
    raw.wait(0.4)
    for _ in range(3):
        raw.send(ack=1)
    raw.wait(0.05)
    raw.send(ack=5001)
    raw.wait(0.05)
    raw.send(ack=10_001)
    raw.wait(0.1)


def time_outs(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(2.2)
    raw.send(ack=1001)
    raw.wait(0.03)
    raw.send(ack=10_001)
    raw.wait(0.1)


def spurious_time_out(make: Any) -> None:
    raw: Raw = make(sack=False, stamps=1000).open()
    raw.wait(0.85)
    raw.send(ack=1001)  # echoes what came before
    raw.wait(0.03)
    raw.send(ack=10_001)
    raw.wait(0.1)


def lies_in_sack(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.4)
    raw.send(ack=1, sack=((50_001, 51_001),))
    raw.send(ack=5001, sack=((1, 1001),))
    raw.send(ack=5001, sack=((3001, 2001),))
    raw.wait(0.03)
    raw.send(ack=10_001)
    raw.wait(0.1)


def reneging(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.35)
    raw.send(ack=1, sack=((1001, 5001),))
    raw.wait(0.05)
    raw.send(ack=1001)  # what follows was SACKed, and is not any more
    raw.wait(0.4)
    raw.send(ack=10_001)
    raw.wait(0.1)


def reordering(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.35)
    raw.send(ack=1, sack=((1001, 2001),))
    raw.send(ack=2001)
    raw.wait(0.05)
    raw.send(ack=10_001)
    raw.wait(0.1)


def shut_window(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.3)
    raw.send(ack=10_001, window=0)
    raw.wait(1.1)
    raw.send(ack=10_001)
    raw.wait(0.1)
    raw.send(ack=11_001)
    raw.wait(0.1)


def half_open(make: Any) -> None:
    def syn(**settings: Any) -> Raw:
        raw: Raw = make(**settings)
        raw.send("S", 0, options=raw.syn)
        raw.wait(0.05)
        raw.irs = raw.last().sequence
        return raw

    raw = syn()
    raw.send("R", 1)
    raw = syn()
    raw.send("S", 50)
    raw = syn()
    raw.send("S.", 50)
    raw = syn()
    raw.send("S", 0, options=raw.syn)
    raw.send("S", 0, options=raw.syn)
    raw.wait(0.1)
    raw.send(".", 1, ack=77)
    raw.wait(0.1)
    raw.send(".", 1)
    raw.wait(0.1)


def nobody_accepts(make: Any) -> None:
    for _ in range(2):
        raw: Raw = make()
        raw.send("S", 0, options=raw.syn)
        raw.wait(0.05)
        raw.irs = raw.last().sequence
        raw.send()
        raw.wait(0.05)
    for _ in range(2):
        raw = make()
        raw.send("S", 0, options=raw.syn)
        raw.wait(0.05)


def cookies(make: Any) -> None:
    raw: Raw = make().open()
    raw.send("P.", 1, 10)
    raw = make()
    raw.send("S", 0, options=raw.syn)
    raw.wait(0.05)
    raw.irs = raw.last().sequence
    raw.send(".", 1, ack=999)
    raw.wait(0.1)


def not_listening(make: Any) -> None:
    raw: Raw = make()
    raw.send("S", 0, options=raw.syn)
    raw.send("P.", 1, 10)
    raw.send("R", 1)
    raw.wait(0.1)


def paws(make: Any) -> None:
    raw: Raw = make(stamps=100_000).open()
    raw.send("P.", 1, 10)
    raw.wait(0.1)
    raw.send("P.", 11, 10, value=50_000)
    raw.wait(0.1)
    raw.send(".", 1, value=50_000)  # an ACK that was overtaken
    raw.send(".", 11, ack=1, window=700, value=50_000)
    raw.send("P.", 11, 10)
    raw.wait(0.1)


def ends(make: Any) -> None:
    raw: Raw = make().open()
    raw.send("P.", 1, 10)
    raw.wait(0.5)  # closed with that unread
    raw.send(".", 11)
    raw.wait(0.1)


def after_close(make: Any) -> None:
    raw: Raw = make().open()
    raw.until_fin()
    raw.send("P.", 1, 10, ack=1)  # it has closed
    raw.wait(0.1)


def time_wait(make: Any) -> None:
    raw: Raw = make().open()
    raw.until_fin()
    raw.send(".", 1, ack=2)
    raw.wait(0.1)
    raw.send("F.", 1, ack=2)
    raw.wait(0.6)
    raw.send("F.", 1, ack=2)
    raw.send(".", -50, ack=2)
    raw.send(".", -50, ack=2)
    raw.wait(0.1)


def reset_by_peer(make: Any) -> None:
    raw: Raw = make().open()
    raw.send("R", 1)
    raw.wait(0.1)


def reset_later(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.3)


def silence(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(3.4)


def new_data_after_a_time_out(make: Any) -> None:
    raw: Raw = make().open()
    raw.until_again(1)
    raw.wait(0.05)
    raw.send(ack=2001)  # more than was sent again
    raw.wait(0.05)
    raw.send(ack=10_001)
    raw.wait(0.1)


def originals_were_late(make: Any) -> None:
    raw: Raw = make(stamps=1000, mss=1012).open()
    raw.wait(0.35)
    raw.send(ack=1, sack=((1001, 4001),))
    raw.wait(0.05)
    raw.send(ack=5001)  # still echoes what came before the repetition
    raw.wait(0.05)
    raw.send(ack=10_001)
    raw.wait(0.1)


def a_probe_repairs(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.26)
    raw.send(ack=9001)
    raw.until_again(9001)  # the probe
    raw.wait(0.02)
    raw.send(ack=10_001)
    raw.wait(0.05)
    raw.send(ack=10_001)
    raw.wait(0.1)


def repetition_lost(make: Any) -> None:
    raw: Raw = make().open()
    raw.wait(0.35)
    raw.send(ack=1, sack=((1001, 5001),))
    raw.wait(0.05)
    raw.send(ack=1, sack=((1001, 9001),))
    raw.wait(0.7)
    raw.send(ack=10_001)
    raw.wait(0.1)


def quoted(make: Any) -> None:
    raw: Raw = make().open()
    for offset in (77_777, 1):
        address, server = raw.probe.address, raw.server
        inner = IPv4(source=server, destination=address) / stack.TCP(source=8080, destination=raw.port, sequence=raw.irs + offset & 0xFFFFFFFF)
        raw.probe.send(IPv4() / ICMP(3, 1) / inner)
        raw.wait(0.05)


def fast_open(make: Any) -> None:
    def syn(cookie: bytes, text: int) -> Raw:
        raw: Raw = make(options=(FastOpenCookie(cookie),))
        raw.send("S", 0, text, options=raw.syn)
        raw.wait(0.1)
        return raw

    given = syn(b"", 0).last().options
    cookie = next(option.cookie for option in given if isinstance(option, FastOpenCookie))
    raw = syn(cookie, 10)
    raw.irs = raw.last().sequence
    raw.send(".", 11)
    syn(bytes(8), 10)
    raw.wait(0.1)


def too_many(make: Any) -> None:
    for _ in range(6):
        raw: Raw = make()
        raw.send("S", 0, options=raw.syn)
        raw.wait(0.05)


def last_fin(make: Any) -> None:
    raw: Raw = make().open()
    raw.until_fin()
    raw.send(".", 1, ack=2)
    raw.wait(0.1)
    raw.send("F.", 1, ack=2)
    raw.wait(0.1)


def deferred(make: Any) -> None:
    raw: Raw = make()
    raw.send("S", 0, options=raw.syn)
    raw.wait(0.05)
    raw.irs = raw.last().sequence
    raw.send()
    raw.wait(0.1)
    raw.send("P.", 1, 10)
    raw.wait(0.1)


KEEPALIVE = (("option", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *(("option", TCP, option, 1) for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)), ("option", TCP, socket.TCP_KEEPCNT, 2))
NO_PROBES = (("net.ipv4.tcp_early_retrans", "0"),)
QUICK_CLOSE: tuple[tuple[Any, ...], ...] = (("sleep", 0.2), ("close",))

STORIES: dict[str, tuple[Story, dict[str, int]]] = {
    "bad segments": (Story(bad_segments), {"TcpExtBeyondWindow": 1, "TcpExtTCPSYNChallenge": 2, "TcpInErrs": 3, "TcpInCsumErrors": 1, "TcpExtTCPACKSkippedChallenge": 1}),
    "old text": (Story(old_text), {"TcpExtDelayedACKLost": 1, "TcpExtTCPDSACKOldSent": 2}),
    "above a gap": (Story(above_a_gap), {"TcpExtTCPOFOQueue": 4, "TcpExtTCPDSACKOfoSent": 2, "TcpExtTCPOFOMerge": 2}),
    "fast retransmit": (Story(fast_retransmit, SENDS), {"TcpExtTCPSackRecovery": 1, "TcpExtTCPFastRetrans": 1, "TcpExtTCPDSACKRecv": 2}),
    "without SACK": (Story(without_sack, SENDS), {"TcpExtTCPRenoRecovery": 1, "TcpExtTCPFastRetrans": 2}),
    "time-outs": (Story(time_outs, SENDS), {"TcpExtTCPTimeouts": 3, "TcpExtTCPLossProbes": 1}),
    "a time-out for nothing": (Story(spurious_time_out, SENDS), {"TcpExtTCPLossUndo": 2}),
    "lies in SACK": (Story(lies_in_sack, SENDS), {"TcpExtTCPSACKDiscard": 2}),
    "reneging": (Story(reneging, SENDS), {"TcpExtTCPSACKReneging": 1}),
    "reordering": (Story(reordering, SENDS), {"TcpExtTCPSACKReorder": 1}),
    "a shut window": (Story(shut_window, (("sleep", 0.3), ("send", 10_000), ("sleep", 0.3), ("send", 1000), ("sleep", 60))), {"TcpExtTCPWinProbe": 2}),
    "half open": (Story(half_open), {"TcpExtEmbryonicRsts": 3, "TcpAttemptFails": 3, "TcpExtTCPSynRetrans": 1, "TcpExtTCPACKSkippedSynRecv": 1}),
    "nobody accepts": (Story(nobody_accepts, backlog=0), {"TcpExtListenOverflows": 2, "TcpExtListenDrops": 2}),
    "SYN cookies": (Story(cookies, sysctls=(("net.ipv4.tcp_syncookies", "2"),)), {"TcpExtSyncookiesSent": 2, "TcpExtSyncookiesRecv": 1, "TcpExtSyncookiesFailed": 1}),
    "nobody listens": (Story(not_listening, listens=False), {"TcpOutRsts": 2, "TcpInSegs": 3}),
    "PAWS": (Story(paws), {"TcpExtPAWSEstab": 2, "TcpExtPAWSOldAck": 1}),
    "closed with text unread": (Story(ends, QUICK_CLOSE), {"TcpExtTCPAbortOnClose": 1, "TcpOutRsts": 2}),
    "text after close()": (Story(after_close, QUICK_CLOSE), {"TcpExtTCPAbortOnData": 1}),
    "TIME-WAIT": (Story(time_wait, QUICK_CLOSE), {"TcpExtTW": 1}),
    "reset by the peer": (Story(reset_by_peer), {"TcpEstabResets": 1}),
    "keep-alive": (Story(silence, (*KEEPALIVE, ("sleep", 60))), {"TcpExtTCPKeepAlive": 2, "TcpExtTCPAbortOnTimeout": 1}),
    "new data after a time-out": (Story(new_data_after_a_time_out, SENDS, NO_PROBES), {"TcpExtTCPSpuriousRTOs": 1, "TcpExtTCPLossUndo": 1}),
    "the originals were late": (Story(originals_were_late, SENDS), {"TcpExtTCPPartialUndo": 1, "TcpExtTCPTSReorder": 1}),
    "a probe repairs a loss": (Story(a_probe_repairs, SENDS), {"TcpExtTCPLossProbes": 1}),
    "a repetition is lost": (Story(repetition_lost, SENDS), {"TcpExtTCPSackRecoveryFail": 1}),
    "ICMP quotes what was not sent": (Story(quoted), {"TcpExtOutOfWindowIcmps": 1}),
    "fast open": (Story(fast_open, (("listener", TCP, socket.TCP_FASTOPEN, 5), ("sleep", 60)), (("net.ipv4.tcp_fastopen", "3"),)), {"TcpExtTCPFastOpenPassive": 1, "TcpExtTCPFastOpenPassiveFail": 1, "TcpExtTCPFastOpenCookieReqd": 1}),
    "too many half open": (Story(too_many, sysctls=(("net.ipv4.tcp_syncookies", "0"),), backlog=1), {"TcpExtTCPReqQFullDrop": 4, "TcpExtListenDrops": 4}),
    "a linger time of 0": (Story(reset_later, (("sleep", 0.2), ("abort",))), {"TcpExtTCPAbortOnData": 1}),
    "TCP_LINGER2 below 0": (Story(last_fin, (("option", TCP, socket.TCP_LINGER2, -1), ("sleep", 0.2), ("close",))), {"TcpExtTCPAbortOnData": 1}),
    "TCP_DEFER_ACCEPT": (Story(deferred, (("listener", TCP, socket.TCP_DEFER_ACCEPT, 1),)), {"TcpExtTCPDeferAcceptDrop": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_what_a_story_is_about(name: str) -> None:
    story, expected = STORIES[name]
    found = run(story, linux=False)
    assert {each: found[each] for each in expected} == expected


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize("name", STORIES)
def test_linux_counts_the_same(name: str) -> None:
    assert compare(STORIES[name][0]) == {}
