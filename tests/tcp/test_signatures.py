"""Signed segments: MD5 (RFC 2385) and the authentication option (RFC 5925), against scapy and the vectors of RFC 9235."""

import errno
import importlib.util

import pytest
from scapy.layers import inet
from scapy.layers.inet6 import IPv6

from stack.base.address import IPv4Address, IPv6Address
from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.opening.listener import Listener
from stack.tcp.settings import TcpSettings
from stack.tcp.signing.ao import AES_CMAC, HMAC_SHA1, MasterKey, supported
from stack.tcp.signing.md5 import MD5Key, digest
from stack.tcp.state import ESTABLISHED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, A, B, Pair, Pen, pair

S = 1000 * MS
EVERYBODY = bytes(4)
SECRET = MD5Key(EVERYBODY, 0, b"secret")
FIRST, SECOND = MasterKey(EVERYBODY, 0, 1, 2, b"first"), MasterKey(EVERYBODY, 0, 3, 4, b"second")


def mirrored(key: MasterKey) -> MasterKey:
    return MasterKey(key.address, key.prefix, key.receive_id, key.send_id, key.secret, key.algorithm, key.options)


def keyed(settings: TcpSettings, *keys: MasterKey) -> tuple[TcpSettings, TcpSettings]:
    return settings.replace(ao_keys=keys), settings.replace(ao_keys=tuple(map(mirrored, keys)))


def finished(one: TcpSettings, other: TcpSettings) -> Pair:
    both = pair(one, other)
    both.a.open_active(0)
    both.run(5 * S)
    return both


@rfc("2385", "2.0")
@pytest.mark.parametrize(("layer", "ends"), [
    (inet.IP, (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))), (IPv6, (IPv6Address("fd00::1"), IPv6Address("fd00::2"))),
])  # fmt: skip
def test_the_digest_is_that_of_scapy(layer: type, ends: tuple[bytes, bytes]) -> None:
    header = TCP(1, 2, 3, 4, ack=True, psh=True, window=5, options=TCPOptions(b"\1\1\x13\x12" + bytes(16)))
    theirs = layer(src=str(ends[0]), dst=str(ends[1])) / inet.TCP(
        sport=1, dport=2, seq=3, ack=4, flags="PA", window=5, options=[("NOP", None), ("NOP", None), (19, bytes(16))]
    ) / b"text"  # fmt: skip
    theirs = layer(bytes(theirs))
    assert digest(b"secret", *ends, header, b"text") == inet.calc_tcp_md5_hash(theirs[inet.TCP], b"secret")


@rfc("2385", "2.0")
def test_what_is_signed_is_taken_and_goes_both_ways() -> None:
    settings = TcpSettings(md5_keys=(SECRET,))
    both = finished(settings, settings)
    assert (both.a.state, both.b.state) == (ESTABLISHED, ESTABLISHED)
    data = bytes(range(256)) * 100
    assert both.transfer(data) == data
    assert all(bytes(sent.header.options)[:4] == b"\1\1\x13\x12" for sent in both.log)
    first = both.log[0].header.options
    assert (first.timestamps, first.sack_permitted, both.a.snd.mss) == (None, True, 1440)


@rfc("2385", "2.0")
def test_another_key_and_none_and_a_key_where_there_is_none_are_dropped_in_silence() -> None:
    signed = PLAIN.replace(md5_keys=(SECRET,))
    other = PLAIN.replace(md5_keys=(MD5Key(EVERYBODY, 0, b"other"),))
    for one, two in ((signed, other), (signed, PLAIN), (PLAIN, signed)):
        both = finished(one, two)
        assert {sent.side for sent in both.log} == {"a"}
    listener = Listener(B, lambda *given: Connection(*given[:3], iss=1), signed)
    assert listener.receive(TCP(syn=True), b"", B, A, 0) is None
    assert listener.half_open == 0


def test_an_established_connection_drops_what_is_not_signed() -> None:
    both = finished(PLAIN.replace(md5_keys=(SECRET,)), PLAIN.replace(md5_keys=(SECRET,)))
    rst = TCP(source=B[1], destination=A[1], sequence=both.a.rcv.nxt & 0xFFFFFFFF, rst=True)
    assert both.a.receive(rst, b"", both.now) == "signature"
    assert both.a.state is ESTABLISHED


def test_the_key_whose_prefix_is_longest_counts() -> None:
    near = MD5Key(bytes(B[0]), 32, b"near")
    both = finished(PLAIN.replace(md5_keys=(SECRET, near)), PLAIN.replace(md5_keys=(MD5Key(EVERYBODY, 0, b"near"),)))
    assert both.a.state is ESTABLISHED


def test_a_signed_ack_does_not_end_an_unsigned_handshake() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=0))
    pen.connection.open_passive(0)
    pen.write("S", 0)
    pen.read()
    assert pen.write(".", 1, ack=1, options=b"\x13\x12" + bytes(16) + b"\1\1") == "signature"
    assert pen.read() == []
    pen.write(".", 1, ack=1)
    assert pen.connection.state is ESTABLISHED


CLIENT, SERVER = IPv4Address("10.11.12.13"), IPv4Address("172.27.28.29")
# RFC 9235 section 4.1.1: a SYN, the SHA-1 traffic key, the MAC
SYN = bytes.fromhex(
    "e9d700b3fbfbab5a00000000e002ffffcac40000020405b4010303080402080a00155ab7000000001d103d542ee437c6f8ede6d7c4d602e7"
)


@rfc("5925", "5.1")
@rfc("5925", "5.2")
@rfc("9235", "4.1.1")
def test_the_syn_of_rfc_9235() -> None:
    key = MasterKey(bytes(4), 0, 0x3D, 0x54, b"testvector")
    header, _ = TCP.decode(SYN, 0, len(SYN))
    traffic = key.traffic_key((CLIENT, 0xE9D7), (SERVER, 179), header.sequence, 0)
    assert traffic.hex() == "6d63ef1b02fe1509d4b1402707fd7b0416abb74f"
    assert key.mac(traffic, 0, CLIENT, SERVER, header, b"") == SYN[-12:]


@rfc("5925", "7.3")
def test_a_connection_with_the_authentication_option() -> None:
    one, other = keyed(TcpSettings(), FIRST)
    both = finished(one, other)
    data = bytes(range(256)) * 100
    assert both.transfer(data) == data
    assert [bytes(sent.header.options)[:4] for sent in both.log[:2]] == [bytes((29, 16, 1, 2)), bytes((29, 16, 2, 1))]
    assert both.a.snd.mss == 1460 - 12 - 16


@rfc("5925", "6.2")
def test_the_sequence_number_extension_counts_what_wraps() -> None:
    one, other = keyed(PLAIN, FIRST)
    both = pair(one, other, iss=(2**32 - 3000, 2**32 - 1))
    both.a.open_active(0)
    both.run(S)
    data = bytes(range(256)) * 100
    assert both.transfer(data) == data
    assert both.transfer(data, forward=False) == data


@rfc("5925", "7.5")
def test_what_is_not_signed_by_a_key_of_ours_is_dropped() -> None:
    one, _ = keyed(PLAIN, FIRST)
    for other in (keyed(PLAIN, SECOND)[1], keyed(PLAIN, MasterKey(EVERYBODY, 0, 1, 2, b"wrong"))[1], PLAIN):
        assert {sent.side for sent in finished(one, other).log} == {"a"}


@rfc("5925", "6.1")
def test_the_peer_asks_for_another_key() -> None:
    one, other = keyed(PLAIN, FIRST, SECOND)
    both = finished(one, other)
    both.log.clear()
    both.b.signature.next = mirrored(SECOND)  # type: ignore[union-attr]
    both.b.send(b"roll", both.now)
    both.run(S)
    both.a.send(b"over", both.now)
    both.run(S)
    assert [bytes(sent.header.options)[2:4] for sent in both.log if sent.text] == [bytes((2, 3)), bytes((3, 2))]
    assert both.b.recv(10, both.now) == b"over"


def test_the_other_options_need_not_be_signed() -> None:
    one, other = keyed(TcpSettings(), MasterKey(EVERYBODY, 0, 1, 2, b"first", options=False))
    assert finished(one, other).b.state is ESTABLISHED


@pytest.mark.skipif(not supported(AES_CMAC), reason="the package `cryptography` is not installed")
def test_aes_cmac() -> None:
    one, other = keyed(TcpSettings(), MasterKey(EVERYBODY, 0, 1, 2, b"first", AES_CMAC))
    assert finished(one, other).b.state is ESTABLISHED


def test_which_algorithms_there_are() -> None:
    assert supported(HMAC_SHA1)
    assert supported(AES_CMAC) == (importlib.util.find_spec("cryptography") is not None)
    assert not supported("md5")


@rfc("2385", "4.3")
def test_the_signature_takes_its_room_from_the_text() -> None:
    both = finished(PLAIN.replace(md5_keys=(SECRET,)), PLAIN.replace(md5_keys=(SECRET,)))
    both.log.clear()
    both.transfer(bytes(10_000))
    assert max(len(sent.text) + len(sent.header.options) for sent in both.log) == 1460


@rfc("5925", "7.8")
def test_icmp_does_nothing_to_a_signed_connection_once_it_stands() -> None:
    one, other = keyed(PLAIN.replace(abort_on_hard_icmp=True), FIRST)
    both = finished(one, other)
    both.a.send(bytes(1000), both.now)
    sequence = both.a.iss + 1
    for error in (errno.ECONNREFUSED, errno.ENOPROTOOPT):
        both.a.icmp_error(error, True, both.now, sequence)
    both.a.path_mtu(576, both.now, sequence)
    assert (both.a.state, both.a.soft_error, both.a.snd.mss) == (ESTABLISHED, None, 1460 - 16)
    both.a.path_mtu(576, both.now)  # this host's own interface
    assert both.a.snd.mss == 536 - 16
    opening = Connection(A, B, one, iss=0)
    opening.open_active(0)
    opening.icmp_error(errno.ECONNREFUSED, True, 0, 0)
    assert opening.error == errno.ECONNREFUSED, "before it stands anyone may refuse it"
