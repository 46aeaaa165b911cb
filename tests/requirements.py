"""The labelled requirements of RFC 9293: where each stands in its text, what it asks in our words, where the code does it, what to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """`code`: the file that does it, under `stack/`; "" if none does, and then `note` says why."""

    label: str
    section: str
    asks: str
    code: str
    note: str = ""


# label | section | what it asks | file under stack/ | what to know
_TABLE = """
MUST-1 | 3.1 | a window is an unsigned number | tcp/segment.py
MUST-2 | 3.1 | the sender computes the checksum | tcp/formats/tcp.py
MUST-3 | 3.1 | the receiver checks the checksum | host/tcp.py
MUST-4 | 3.2 | end of list, no-operation and MSS options are known | tcp/formats/options.py
MUST-5 | 3.1 | an option may come in any segment | tcp/segment.py
MUST-6 | 3.1 | unknown options are passed over | tcp/segment.py
MUST-7 | 3.1 | an option with an impossible length does no harm | tcp/segment.py | The list ends there; the connection is not reset, as the RFC suggests, but goes on (as in Linux).
MUST-8 | 3.4.1 | initial sequence numbers follow a clock | tcp/opening/isn.py
MUST-9 | 3.4.1 | the function behind them cannot be computed outside | tcp/opening/isn.py | The secret comes from the network's seed: who knows the seed knows the numbers.
MUST-10 | 3.5 | simultaneous open | tcp/arrives.py
MUST-11 | 3.5 | SYN-RECEIVED remembers whether it came from a passive or an active open | tcp/arrives.py
MUST-12 | 3.6 | a program can tell that its connection was aborted by the peer | tcp/ending.py
MUST-13 | 3.6.1 | whoever closes first lingers for 2 MSL | tcp/ending.py | 2 MSL is 60 s by default, as in Linux; `TcpSettings(time_wait=…)`.
MUST-14 | 3.7.1 | the MSS option is sent and read | tcp/sending/output.py
MUST-15 | 3.7.1 | without it, 536 octets (IPv6: 1220) | tcp/segment.py
MUST-16 | 3.7.1 | segments are no larger than the peer and IP allow | tcp/opening/handshake.py
MUST-17 | 3.7.4 | a program can turn Nagle's algorithm off | tcp/sending/transmit.py
MUST-18 | 3.8.1 | RFC 6298's timer with Karn's algorithm | tcp/recovery/rtt.py | The least timeout is 200 ms by default, as in Linux; RFC 6298 says 1 s: `TcpSettings(minimum_rto=…)`.
MUST-19 | 3.8.2 | slow start, congestion avoidance, exponential backoff | tcp/congestion/newreno.py
MUST-20 | 3.8.3 | after R1 repetitions IP is told, after R2 the connection closes | tcp/timeouts.py
MUST-21 | 3.8.3 | a program can set R2 | tcp/settings.py
MUST-22 | 3.8.3 | SYNs are repeated and given up as data is | tcp/timeouts.py
MUST-23 | 3.8.3 | a SYN is repeated for at least three minutes | tcp/settings.py | Not by default: 131 s, as in Linux. `TcpSettings.rfc()` and `TCP_SYNCNT` make it longer.
MUST-24 | 3.8.4 | keep-alive can be turned on and off for each connection | tcp/timeouts.py
MUST-25 | 3.8.4 | it is off by default | tcp/settings.py
MUST-26 | 3.8.4 | it is sent only after an idle interval | tcp/timeouts.py
MUST-27 | 3.8.4 | the interval can be set | tcp/settings.py
MUST-28 | 3.8.4 | the interval is two hours or more by default | tcp/settings.py
MUST-29 | 3.8.4 | one unanswered probe does not end the connection | tcp/timeouts.py
MUST-30 | 3.8.5 | urgent data | tcp/urgent.py
MUST-31 | 3.8.5 | urgent data of any length | tcp/urgent.py
MUST-32 | 3.8.5 | the program is told when urgent data comes | tcp/receiving/deliver.py
MUST-33 | 3.8.5 | the program can learn how much is left to read of it | tcp/urgent.py
MUST-34 | 3.8.6 | a window that shrinks below what was sent does no harm | tcp/recovery/retransmit.py
MUST-35 | 3.8.6 | a window that shrinks to nothing is probed | tcp/timeouts.py
MUST-36 | 3.8.6.1 | shut windows are probed | tcp/sending/transmit.py | By default as Linux does, with an old number and no octet; `TcpSettings.rfc()` sends an octet of new data.
MUST-37 | 3.8.6.1 | the connection stays open while probes are answered | tcp/acknowledge.py
MUST-38 | 3.8.6.2.1 | the sender avoids silly windows | tcp/sending/transmit.py
MUST-39 | 3.8.6.2.2 | the receiver avoids silly windows | tcp/receiving/window.py
MUST-40 | 3.8.6.3 | no ACK is delayed for half a second | tcp/receiving/delayed_ack.py
MUST-41 | 3.9.1.1 | a passive open leaves other connections alone | udp/ports.py
MUST-42 | 3.9.1.1 | a port can be listened on while a connection of it is being opened | udp/ports.py | As in Linux, both sockets ask for `SO_REUSEADDR` if one of them opens actively.
MUST-43 | 3.9.1.1 | a program can choose the local address | host/tcp.py
MUST-44 | 3.9.1.1 | otherwise IP chooses it | host/way.py
MUST-45 | 3.9.1.1 | a connection keeps its local address | host/tcp.py
MUST-46 | 3.9.1.1 | opening to a broadcast or multicast address is an error | host/tcp.py
MUST-47 | 3.9.1.8 | soft errors are reported to the program | tcp/icmp.py
MUST-48 | 3.9.1.9 | a program can set the Diffserv field | host/tcp.py
MUST-49 | 3.9.2 | the time to live can be set | host/tcp.py
MUST-50 | 3.9.2 | IP options that TCP does not understand are ignored | host/ipv4.py
MUST-51 | 3.9.2.1 | a program can give a source route | | Source routes are read and shown, and neither followed nor sent: hosts and routers drop them nowadays (RFC 7126 section 4.3).
MUST-52 | 3.9.2.1 | that route comes before one received | | As MUST-51.
MUST-53 | 3.9.2.1 | a source route that a SYN brought is used, turned round, for the answers | | As MUST-51: answers take the ordinary way.
MUST-54 | 3.9.2.2 | an ICMP error reaches the connection that it is about | tcp/icmp.py
MUST-55 | 3.9.2.2 | source quench is dropped in silence | host/icmp.py
MUST-56 | 3.9.2.2 | soft errors do not abort a connection | tcp/icmp.py | They end an attempt to connect, as in Linux (RFC 5461 section 4).
MUST-57 | 3.9.2.3 | segments to broadcast and multicast addresses are dropped in silence | host/tcp.py
MUST-58 | 3.10.7.4 | one acknowledgment for as much as possible | tcp/arrives.py
MUST-59 | 3.10.7.4 | everything that is queued is processed before an ACK is sent | tcp/arrives.py
MUST-60 | 3.9.1.2 | without PUSH in SEND, data is not held back for ever | tcp/sending/transmit.py
MUST-61 | 3.9.1.2 | without PUSH in SEND, the last segment queued is pushed | tcp/sending/transmit.py
MUST-62 | 3.8.5 | the urgent pointer names the octet after the urgent data | tcp/urgent.py
MUST-63 | 3.9.2.3 | a SYN from an impossible source address is ignored | host/ipv4.py
MUST-64 | 3.1 | options need not begin on a word boundary | tcp/segment.py
MUST-65 | 3.7.1 | the MSS option goes with SYNs only | tcp/segment.py
MUST-66 | 3.4 | RST and URG are processed while the window is shut | tcp/arrives.py
MUST-67 | 3.7.1 | the MSS announced is what can be received and reassembled | tcp/opening/handshake.py
MUST-68 | 3.1 | every option but end of list and no-operation has a length | tcp/formats/options.py
MUST-69 | 3.1 | options are padded with zeros | tcp/formats/options.py
SHLD-1 | 3.4.1 | initial sequence numbers by RFC 6528 | tcp/opening/isn.py
SHLD-2 | 3.5.3 | a RST may carry data | tcp/arrives.py
SHLD-3 | 3.6.1 | closing with unread data, or data after a close, gives a RST | tcp/calls.py
SHLD-4 | 3.6.1 | timestamps shorten TIME-WAIT (RFC 6191) | tcp/connection.py
SHLD-5 | 3.7.1 | the MSS option is sent unless it is the default | tcp/sending/output.py
SHLD-6 | 3.7.3 | the MSS announced follows the least MTU of the interface | host/tcp.py
SHLD-7 | 3.7.4 | Nagle's algorithm | tcp/sending/transmit.py
SHLD-8 | 3.8.2 | explicit congestion notification (RFC 3168) | tcp/congestion/ecn.py
SHLD-9 | 3.8.3 | a program is told when R1 is reached | tcp/timeouts.py
SHLD-10 | 3.8.3 | R1 is three repetitions or more | tcp/settings.py
SHLD-11 | 3.8.3 | R2 is 100 seconds or more | tcp/settings.py
SHLD-12 | 3.8.4 | keep-alive probes carry no data | tcp/timeouts.py
SHLD-13 | 3.8.5 | new programs do not send urgent data | | It asks programs, not TCP: nothing here sends urgent data unless `MSG_OOB` says so.
SHLD-14 | 3.8.6 | the receiver does not shrink its window | tcp/receiving/window.py
SHLD-15 | 3.8.6 | no new data is sent into a window that shrank | tcp/sending/transmit.py
SHLD-16 | 3.8.6 | what still fits the shrunken window is sent again | tcp/recovery/retransmit.py
SHLD-17 | 3.8.6 | data beyond it does not time the connection out | tcp/timeouts.py
SHLD-18 | 3.8.6.3 | acknowledgments are delayed | tcp/receiving/delayed_ack.py
SHLD-19 | 3.8.6.3 | every second full segment is acknowledged | tcp/receiving/delayed_ack.py
SHLD-20 | 3.9.1.8 | a program can do without error reports | tcp/connection.py
SHLD-21 | 3.9.1.9 | a program can change the Diffserv field on the way | host/tcp.py
SHLD-22 | 3.9.1.9 | the Diffserv field goes to IP unchanged | host/tcp.py | But for its last two bits, which are ECN's: sockets leave them out, as in Linux.
SHLD-23 | 3.9.2 | programs do not change it on the way | | It asks programs, not TCP.
SHLD-24 | 3.9.2.1 | a later source route replaces an earlier one | | As MUST-51.
SHLD-25 | 3.9.2.2 | soft errors are passed to the program | tcp/icmp.py
SHLD-26 | 3.9.2.2 | hard errors abort the connection | tcp/icmp.py | Not by default, as in Linux and for RFC 5927's reasons: `TcpSettings(abort_on_hard_icmp=True)`.
SHLD-27 | 3.9.1.2 | pushes that follow each other are sent as one | tcp/sending/transmit.py
SHLD-28 | 3.9.1.2 | segments are as large as possible | tcp/sending/transmit.py
SHLD-29 | 3.8.6.1 | the first probe of a shut window waits for the retransmission timeout | tcp/sending/transmit.py
SHLD-30 | 3.8.6.1 | then ever longer | tcp/sending/transmit.py
SHLD-31 | 3.10.7.4 | what comes above a gap is kept | tcp/receiving/reassembly.py
MAY-1 | 3.6.1 | closing ends reading too | tcp/calls.py
MAY-2 | 3.6.1 | TIME-WAIT accepts a new SYN | tcp/connection.py
MAY-3 | 3.7.1 | the MSS option is always sent | tcp/sending/output.py
MAY-4 | 3.8.1 | a repetition reuses the IP identification | | It does not: every datagram has its own.
MAY-5 | 3.8.4 | keep-alive | tcp/timeouts.py
MAY-6 | 3.8.4 | keep-alive probes with an octet of data | | They carry none.
MAY-7 | 3.8.6 | data beyond a shrunken window is sent again | | It waits for the window.
MAY-8 | 3.8.6.1 | the receiver keeps its window shut as long as it likes | tcp/receiving/window.py | It is shut while the program does not read.
MAY-9 | 3.9.1.9 | the Diffserv field received is passed to the program | | With datagrams only (`IP_RECVTOS`), as in Linux: a stream's octets come with no one field.
MAY-10 | 3.9.2 | the IP timestamp option | | Read and shown only.
MAY-11 | 3.9.2 | the IP record route option | | Read and shown only.
MAY-12 | 3.10.7.4 | RFC 5961 against data injected from outside | tcp/arrives.py
MAY-13 | 3.10.7.4 | what comes above a gap is acknowledged at once | tcp/receiving/deliver.py
MAY-14 | 3.9.1.7 | FLUSH | | Sockets have no such call.
MAY-15 | 3.9.1.2 | PUSH in SEND | | Sockets have no such flag: the last segment queued is pushed (MUST-61).
MAY-16 | 3.9.1.2 | data that is not pushed may wait | tcp/sending/transmit.py
MAY-17 | 3.9.1.3 | PUSH is passed to the receiver | | Sockets have no such flag.
MAY-18 | 3.8.2 | other congestion controls | tcp/congestion/base.py | CUBIC, NewReno, DCTCP, BBR; others are yours to write (docs/congestion.md has one).
REC-1 | 3.1 | windows are kept in 32 bits or more | tcp/segment.py
"""

REQUIREMENTS: list[Requirement] = [
    Requirement(*(part.strip() for part in line.split("|"))) for line in _TABLE.strip().splitlines()
]

# Beyond the labels: what a reader of TCP's RFCs may look for and will not find.
ABSENT: dict[str, str] = {
    "8684": "Multipath TCP",
}
