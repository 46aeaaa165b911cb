"""A row of options is its octets: whatever they are, they stay, and what can be read can be read."""

from __future__ import annotations

import pickle

import pytest

from stack.base.errors import WireError
from stack.ip.formats.ipv4 import IPv4
from stack.tcp.formats.options import (
    MSS,
    SACK,
    EndOfOptions,
    NoOperation,
    SACKPermitted,
    TCPOptions,
    Timestamps,
    UnknownTCPOption,
    UserTimeout,
    WindowScale,
)
from stack.tcp.formats.tcp import TCP

SYN = TCPOptions([MSS(1460), SACKPermitted(), Timestamps(5), NoOperation(), WindowScale(7)])


def test_options_become_octets_and_octets_options() -> None:
    assert SYN.hex() == "020405b4 0402 080a 00000005 00000000 01 030307".replace(" ", "")
    assert TCPOptions(bytes(SYN)) == SYN
    assert [type(one) for one in SYN] == [MSS, SACKPermitted, Timestamps, NoOperation, WindowScale]
    assert (SYN.mss, SYN.sack_permitted, SYN.timestamps, SYN.window_scale, SYN.sack) == (1460, True, (5, 0), 7, ())


def test_a_made_option_is_the_parsed_one() -> None:
    parsed = TCPOptions(bytes(SYN)).get(MSS)
    assert parsed == MSS(1460) == MSS(1460, length=4) != MSS(1460, length=5)
    assert {parsed: "found"}[MSS(1460)] == "found"
    assert WindowScale(7) in list(SYN)
    assert MSS(1460) != UnknownTCPOption(2, data=b"\5\xb4")


def test_they_are_padded_to_whole_words() -> None:
    assert TCPOptions([WindowScale(7)]).hex() == "03030700"
    assert list(TCPOptions([WindowScale(7)])) == [WindowScale(7, length=3), EndOfOptions()]


def test_the_usual_option_is_read_fast_and_the_unusual_too() -> None:
    assert TCPOptions([NoOperation(), NoOperation(), Timestamps(9, 8)]).timestamps == (9, 8)
    assert TCPOptions([Timestamps(9, 8)]).timestamps == (9, 8)
    assert TCPOptions(b"\1\1\x08\n\0\0").timestamps is None
    empty = TCPOptions()
    assert (empty.mss, empty.window_scale, empty.timestamps, empty.sack, empty.sack_permitted) == (None, None, None, (), False)


def test_blocks() -> None:
    options = TCPOptions([SACK([(10, 20), (2**32 + 5, 9)])])
    assert options.sack == ((10, 20), (5, 9))
    assert str(options) == "SACK 10:20 5:9, end, 00"


@pytest.mark.parametrize(
    ("octets", "read"),
    [
        ("0204", [b"\x02\x04"]),  # cut
        ("0101ff", [NoOperation(), NoOperation(), b"\xff"]),  # a kind, and no length
        ("050001", [b"\x05\x00\x01"]),  # a length below two
        ("020300", [UnknownTCPOption(2, length=3, data=b"\0")]),  # an MSS of one octet is none
        ("00aabb", [EndOfOptions(), b"\xaa\xbb"]),  # after the end
        ("fe04f989", [UnknownTCPOption(254, length=4, data=b"\xf9\x89")]),
    ],
)
def test_damage_comes_last_and_as_bytes(octets: str, read: list[object]) -> None:
    options = TCPOptions(bytes.fromhex(octets))
    assert list(options) == read
    assert b"".join(bytes(one) for one in options) == bytes.fromhex(octets)


def test_shown_for_programs_and_for_people() -> None:
    assert str(SYN) == "MSS 1460, SACK permitted, timestamps 5 0, NOP, window scale 7"
    assert repr(TCPOptions([MSS(9)])) == "TCPOptions([MSS(length=4, mss=9)])"
    assert eval(repr(SYN)) == SYN
    assert str(UserTimeout(30, minutes=True)) == "user timeout 30"
    assert str(TCPOptions(b"\x1e\4\0\0")) == "UnknownTCPOption multipath TCP (30) 0000"


def test_they_travel() -> None:
    again = pickle.loads(pickle.dumps(SYN))
    assert again == SYN
    assert type(again) is TCPOptions


def test_a_header_takes_options_or_octets() -> None:
    assert TCP(options=[MSS(1460)]) == TCP(options=b"\2\4\5\xb4")
    assert bytes(TCP(options=SYN))[12] >> 4 == 10
    with pytest.raises(WireError, match=r"TCP\.options: 3 octets; expected a multiple of 4"):
        bytes(TCP(options=b"\1\1\1"))
    assert len(bytes(TCP(options=b"\1\1\1", data_offset=6))) == 23
    with pytest.raises(WireError, match=r"IPv4\.options"):
        bytes(IPv4(options=b"\1"))


def test_lengths_can_be_wrong_on_purpose() -> None:
    assert bytes(MSS(1460, length=9)).hex() == "020905b4"
