"""The key requirements of TCP's other RFCs: where each stands, what it asks in our words, where the code does it, what to know.

RFC 9293 labels its requirements (`requirements.py`); these are named by their sections.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """`code`: the file that does it, under `stack/`; "" if none does, and then `note` says why."""

    number: str
    section: str
    asks: str
    code: str
    note: str = ""


# A line with a number and a title begins an RFC; then: section | what it asks | file under stack/ | what to know
_TABLE = """
1337 TIME-WAIT assassination hazards
3 | a RST does not end TIME-WAIT (fix F1) | tcp/arrives.py | Not by default, as in Linux: `tcp_rfc1337`, `TcpSettings(rfc1337=True)`.

2018 Selective acknowledgment
2 | SACK-permitted is for SYNs, and SACK is sent only to who permitted it | tcp/segment.py
3 | at most four blocks, three beside timestamps | tcp/sending/output.py
4 | the block that was received last comes first, then those reported before; every segment above a gap brings out an ACK | tcp/receiving/reassembly.py
5 | what was reported is not sent again; what is sent again is what lies between | tcp/recovery/retransmit.py
8 | the receiver may take its word back: after a timeout nothing that was reported is believed | tcp/recovery/frto.py

2385 MD5 signatures
2.0 | a digest of pseudo-header, header, text and key in every segment; what has none, or a wrong one, is dropped in silence | tcp/signing/md5.py
4.3 | the option takes room from options and text: the segment size allows for it | tcp/opening/handshake.py

2861 Congestion window validation
3 | after an idle time the window is halved for each RTO; one of which only a part was used falls half way to that part | tcp/congestion/validation.py

2883 D-SACK
4 | the first block reports what came twice, once, even below the acknowledgment | tcp/receiving/acceptance.py
5 | the sender learns from it that it repeated for nothing, and does not take what the network doubled for that | tcp/recovery/sack.py

3042 Limited transmit
2 | the first two duplicate ACKs bring out new data, and leave the window as it is | tcp/sending/transmit.py

3168 Explicit congestion notification
5 | a queue marks what is ECN-capable where it would drop it | link/marking.py
5.3 | a mark on a fragment is one on the datagram | ip/reassembly.py
6.1.1 | both ends agree on it in their SYNs | tcp/congestion/ecn.py
6.1.1.1 | a SYN that is not answered goes again without | tcp/congestion/ecn.py
6.1.2 | new data is ECT; an echo lets the window down once in a round trip, and CWR says so | tcp/congestion/ecn.py
6.1.3 | a mark is echoed in every ACK until CWR comes | tcp/congestion/ecn.py
6.1.4 | pure ACKs are not ECT | tcp/congestion/ecn.py
6.1.5 | what is sent again is not ECT | tcp/congestion/ecn.py
6.1.6 | window probes are not ECT | tcp/congestion/ecn.py | But probes that carry an octet: `TcpSettings(window_probe_octet=True)`; Linux's carry none.

3465 Appropriate byte counting
2.1 | congestion avoidance counts octets, not ACKs | tcp/congestion/base.py | Segments in place of octets.
2.2 | slow start adds no more than L = 2 segments an ACK | tcp/congestion/byte_counting.py | Only `congestion="reno-abc"`: the other controls add all that is acknowledged, as in Linux.
2.3 | L = 1 in the slow start after a timeout | tcp/congestion/byte_counting.py | As section 2.2.

3522 Eifel detection
3.2 | the echo of a timestamp from before the repetition: it was for nothing | tcp/recovery/undo.py

3708 Needless repetitions by D-SACK
3 | when every repetition was reported as a duplicate, none was needed: the recovery is undone | tcp/recovery/undo.py

4015 Eifel response
3 | then the window and SSTHRESH are what they were | tcp/recovery/undo.py | The RTO is not made more careful by section 3's step 8, as in Linux.

4821 Packetization layer path MTU discovery
7.3 | probe sizes halve what is unknown between the largest that arrived and the largest that may | tcp/sending/mtu_probing.py | Off by default, as in Linux: `tcp_mtu_probing`.
7.4 | a probe is real data with enough behind it to find its loss quickly; its loss is no sign of congestion | tcp/sending/mtu_probing.py | Those are sections 7.4 and 7.6.2.
7.7 | after timeouts that a too large segment may explain, the segment size falls | tcp/sending/mtu_probing.py

4987 SYN floods
3.2 | the backlog of half-open connections is bounded | tcp/opening/listener.py
3.4 | old half-open connections make room for young ones | tcp/opening/listener.py
3.5 | a SYN cache keeps less than a connection | | Every half-open connection is whole here: their number is bounded, and cookies take over.
3.6 | SYN cookies | tcp/opening/syncookies.py

5482 User timeout
3.1 | a program can set how long data may go unacknowledged before the connection is given up | tcp/timeouts.py | Linux's `TCP_USER_TIMEOUT`, which counts from the first repetition.
3.2 | the option that tells the peer of it | | Neither sent nor heeded, as in Linux: section 3.1's ENABLED is false.

5681 Congestion control
2 | what a duplicate ACK is | tcp/acknowledge.py
3.1 | slow start, congestion avoidance, and one segment after a timeout | tcp/recovery/frto.py
3.2 | the third duplicate ACK sends the first segment again; SSTHRESH is half | tcp/recovery/states.py | Half of the window, not of what is in flight, as in Linux. The window is let down by RFC 6937, not inflated.
4.1 | after an idle time of an RTO the window restarts | tcp/congestion/validation.py | RFC 2861's way: a half for each RTO, not at once.
4.2 | every second full segment is acknowledged, no later than 500 ms; above a gap, and where one is filled, at once | tcp/receiving/delayed_ack.py | Linux joins the ACKs above a gap after the third, for 1 ms at most: `TcpSettings(sack_compression_count=0)` does not.

5682 F-RTO
2.1 | without SACK: after a timeout two new segments; if the next ACK advances too, it was for nothing | tcp/recovery/frto.py
3.1 | with SACK: if anything that was sent once arrives, it was for nothing | tcp/recovery/frto.py
4 | then the window is what it was | tcp/recovery/undo.py

5925 Authentication option
5.1 | the MAC covers extension, pseudo-header, header, options and text | tcp/signing/ao.py
5.2 | traffic keys of each direction, from the addresses, ports and both initial numbers | tcp/signing/ao.py
6.1 | RNextKeyID asks the peer for another key, while the connection stands | tcp/signing/ao.py
6.2 | an extension of the sequence number counts how often it wrapped | tcp/signing/ao.py
7.3 | every segment of such a connection is signed | tcp/signing/ao.py
7.5 | what is not signed by a key of ours is dropped | tcp/signing/signatures.py
7.8 | unreachable messages of codes 2 to 4 (ICMPv6: 1 and 4) do nothing to a synchronized connection | tcp/icmp.py

5961 Blind attacks
3.2 | a RST counts at RCV.NXT exactly; elsewhere in the window it is challenged | tcp/arrives.py | Linux takes it also right behind the last block that SACK told of.
4.2 | a SYN on a connection is challenged | tcp/arrives.py
5.2 | an ACK from below SND.UNA − MAX.SND.WND is challenged | tcp/arrives.py
7 | challenge ACKs are rationed, for a host and for a connection | tcp/receiving/challenge.py | For a host without a bound by default, as in Linux since CVE-2016-5696: `tcp_challenge_ack_limit`.

6093 Urgent data
4 | the urgent pointer names the octet after the urgent data | tcp/urgent.py | `tcp_stdurg` is for peers of RFC 1122.
6 | a program can leave the urgent octet in the stream (SO_OOBINLINE) | tcp/urgent.py

6191 TIME-WAIT and timestamps
2 | a SYN with a later timestamp, or a higher number, ends TIME-WAIT | tcp/connection.py

6298 Retransmission timer
2.1 | before a measurement the RTO is 1 s | tcp/settings.py
2.2 | the first measurement R: SRTT = R, RTTVAR = R / 2 | tcp/recovery/rtt.py
2.3 | then by eighths and quarters | tcp/recovery/rtt.py | RTTVAR is the largest of a round trip, and a fall counts for an eighth of its difference, as in Linux.
2.4 | the RTO is 1 s at least | tcp/recovery/rtt.py | 200 ms by default, as in Linux, and that under the variance, not the sum; `TcpSettings.rfc()` has 1 s.
2.5 | its bound above is 60 s at least | tcp/settings.py | 120 s.
3 | Karn's algorithm: what was sent again is not timed | tcp/acknowledge.py
5.2 | when all is acknowledged the timer is turned off | tcp/recovery/timer.py
5.3 | an ACK of new data starts it again | tcp/recovery/timer.py
5.5 | the RTO is doubled by a timeout | tcp/recovery/rtt.py
5.7 | after a repeated SYN it is 3 s | tcp/opening/handshake.py

6582 NewReno
3.2 | a partial ACK sends the next hole again; no recovery begins for what was sent before the last one ended | tcp/recovery/states.py

6675 Recovery by SACK
4 | what is in flight is counted: less what is SACKed or lost, with what was sent again | tcp/recovery/retransmit_queue.py
5 | the holes go again first, then new data, as far as the window has room | tcp/recovery/retransmit.py

6928 Initial window
2 | ten segments; one if a SYN was lost | tcp/opening/handshake.py | Ten whatever their size, as in Linux: the RFC wants 14,600 octets at most where segments are larger than 1460. One is for two lost SYNs, or SYN,ACKs, as in Linux.

6937 Proportional rate reduction
3 | during a recovery what goes out is to what arrives as SSTHRESH to the window before; below SSTHRESH, slow start | tcp/recovery/prr.py

7323 High performance
2.2 | a scale of more than 14 is 14 | tcp/segment.py
2.3 | windows are scaled but in SYNs | tcp/arrives.py
2.4 | what was offered is not taken back for the scale | tcp/receiving/window.py
3.2 | once agreed on, timestamps are in every segment; one without is dropped, but for a RST | tcp/receiving/timestamps.py | Linux takes it: `TcpSettings(timestamps_required=True)`.
4.1 | an echo times what was sent, repetitions too | tcp/receiving/timestamps.py
4.3 | the echo is of the segment that the next ACK answers | tcp/receiving/timestamps.py
5.3 | a segment of an older timestamp is dropped and acknowledged (PAWS); a RST is not held to it | tcp/receiving/timestamps.py | Linux allows one tick, and ACKs that were merely overtaken.
5.5 | after 24 days without one the last timestamp says nothing | tcp/receiving/timestamps.py

7413 Fast open
4.1.1 | the option, of 4 to 16 octets of cookie, an even number | tcp/opening/fastopen_cache.py
4.1.2 | a server gives cookies that only it can make, and checks them | tcp/opening/fastopen.py
4.1.3 | a client keeps the cookie, and the MSS, of a server | tcp/opening/fastopen_cache.py
4.1.3.1 | and remembers where it did not work | tcp/opening/fastopen_cache.py
4.2.1 | a SYN without data asks for a cookie | tcp/opening/fastopen.py
4.2.2 | data in the SYN goes to the program before the handshake is over; what is not acknowledged goes again | tcp/opening/fastopen.py
5.1 | the number of such connections in SYN-RECEIVED is bounded, resets counted | tcp/opening/fastopen.py

7661 Windows of limited programs
4.3 | a window that is not used does not grow | tcp/congestion/validation.py
4.4 | one that is not used is kept for five minutes, and falls by what was in flight if something is lost | | RFC 2861 in its place, as in Linux: it falls with each RTO.

8257 DCTCP
3.1 | queues mark what finds more than a threshold waiting | link/ecn_threshold.py
3.2 | the receiver tells each change of the mark at once | tcp/congestion/ecn.py
3.3 | the window falls by half the share that was marked | tcp/congestion/dctcp.py
3.4 | a loss halves it | tcp/congestion/dctcp.py
3.5 | SYNs and pure ACKs are ECT too | tcp/congestion/ecn.py | Against RFC 3168, as in Linux and in data centres.

8985 RACK-TLP
6.2 step 2 | the newest segment delivered is kept; an answer sooner than any round trip is not to the repetition | tcp/recovery/rack.py
6.2 step 3 | reordering is told from what arrives below what arrived | tcp/recovery/sack.py
6.2 step 4 | the reordering window: a quarter of the least round-trip time, wider for each round with D-SACKs, none while nothing was ever reordered | tcp/recovery/rack.py
6.2 step 5 | what was sent before the newest delivered, by more than the window, is lost; a timer waits for the rest | tcp/recovery/rack.py
6.3 | a timeout takes for lost what is older than a round trip only | tcp/recovery/frto.py
7.2 | the probe is due after two round trips, and never later than the RTO | tcp/recovery/tlp.py
7.3 | it is new data if there is any, else the last segment | tcp/timeouts.py
7.4 | a probe that mended a loss lets the window down | tcp/recovery/tlp.py

9406 HyStart++
4.2 | slow start becomes conservative when the round-trip time of a round rises, and goes on if it falls again | tcp/congestion/hystart_plus_plus.py | `congestion="cubic-hystart++"`: CUBIC's own is the older HyStart, as in Linux.
4.3 | the constants; for the first slow start only; L = 8 where nothing is paced | tcp/congestion/hystart_plus_plus.py

9438 CUBIC
4.2 | the window is a cubic function of the time since the last reduction | tcp/congestion/cubic.py
4.3 | no slower than Reno | tcp/congestion/cubic.py
4.4 | no more than half a window in a round trip | tcp/congestion/cubic.py
4.6 | seven tenths are left | tcp/congestion/cubic.py | Of the window, not of what is in flight, as in Linux.
4.7 | fast convergence | tcp/congestion/cubic.py
4.8 | after a timeout it begins anew | tcp/congestion/cubic.py
4.9 | a reduction that was for nothing is taken back, W_max too | | The window and SSTHRESH are; what W_max and K were is not kept, as in Linux.
5.1 | where the path is long and fast it gets more than Reno | tcp/congestion/cubic.py
5.8 | idle time does not count | tcp/congestion/cubic.py

9768 Accurate ECN
3.1.2 | a peer that knows less gets classic ECN, or none | tcp/congestion/ecn.py
3.1.3 | a SYN with a combination of the future asks for accurate ECN | tcp/congestion/ecn.py
3.1.5 | who sent or received zeros in the handshake counts on, but sends no ECT | tcp/congestion/ecn.py
3.2.2 | three bits count the marked segments | tcp/congestion/accurate_ecn.py
3.2.2.1 | the last ACK of the handshake tells how the SYN,ACK arrived | tcp/congestion/accurate_ecn.py
3.2.2.3 | an impossible change of the IP field ends ECT | tcp/congestion/ecn.py
3.2.2.5 | the sender unwraps the count, and takes the safe side where it may have gone round | tcp/congestion/accurate_echo.py
3.2.2.5.2 | an ACK that may have been overtaken is not believed | tcp/congestion/accurate_echo.py
3.2.3 | an option counts octets | tcp/congestion/accurate_ecn.py
3.2.3.2.2 | the option is given up where segments that have it are lost | tcp/congestion/accurate_ecn.py
3.2.3.2.4 | a first option of zeros is not believed | tcp/congestion/accurate_echo.py
3.2.3.3 | the option goes with changes and three times in a round trip at least | tcp/congestion/accurate_ecn.py
A.2.1 | without the option: the safe number, unless ACKs always cover much | tcp/congestion/accurate_echo.py
A.2.2 | with it: the octets decide | tcp/congestion/accurate_echo.py
"""

TITLES: dict[str, str] = {}
PASSAGES: list[Passage] = []


def _read() -> None:
    number = ""
    for line in filter(None, _TABLE.splitlines()):
        if "|" in line:
            PASSAGES.append(Passage(number, *(part.strip() for part in line.split("|"))))
        else:
            number, _, title = line.partition(" ")
            TITLES[number] = title


_read()
