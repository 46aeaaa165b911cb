"""A header is a typed, immutable value that is declared once."""

from __future__ import annotations

import copy
import pickle

import pytest
from construct import (
    BitsInteger,
    Bytes,
    Const,
    Flag,
    GreedyBytes,
    Int8ub,
    Int16sb,
    Int16ub,
    Int16ul,
    Int24ub,
    Int32ul,
    VarInt,
    this,
)

from stack.base.address import IPv4Address
from stack.base.errors import WireError
from stack.codec.fields import Run, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.ip.formats.ipv4 import IPv4
from stack.tcp.formats.options import MSS
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP


@header
class Sample(Header):
    """A header with one of everything."""

    version: int = wire(BitsInteger(4), default=1)
    urgent: bool = wire(Flag, default=False)
    last: bool = wire(Flag, default=False)
    kind: int = wire(BitsInteger(10), default=0, names={7: "seven"})
    little: int = wire(Int16ul, default=0)
    big: int = wire(Int16ub, default=0)
    signed: int = wire(Int16sb, default=-1)
    wide: int = wire(Int24ub, default=0)
    count: int = wire(Int8ub, default=Sealed)
    address: IPv4Address = wire(Value(IPv4Address, Bytes(4)), default=IPv4Address.LOOPBACK)
    text: bytes = wire(Run(this.count), default=b"")

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(len(self.text) if self.count is Sealed else self.count)


def test_values_by_position_by_name_and_by_default() -> None:
    sample = Sample(2, True, kind=7, text=b"hello")
    assert (sample.version, sample.urgent, sample.last, sample.kind, sample.little) == (2, True, False, 7, 0)
    assert sample.count is Sealed
    assert len(sample) == 21
    assert bytes(sample).hex() == "280700000000ffff000000057f000001" + b"hello".hex()
    assert Sample.parse(bytes(sample)) == sample.replace(count=5)


def test_byte_orders_mix() -> None:
    assert bytes(Sample(little=0x1234, big=0x1234))[2:6].hex() == "34121234"


def test_it_cannot_change() -> None:
    tcp = TCP(80, 1024)
    with pytest.raises(AttributeError, match="immutable; use replace"):
        tcp.source = 81  # type: ignore[misc]
    with pytest.raises(AttributeError, match="immutable"):
        del tcp.source
    assert tcp.replace(source=81) == TCP(81, 1024)
    assert tcp.source == 80


def test_equal_values_are_equal() -> None:
    assert TCP(80, syn=True) == TCP(source=80, syn=True) != TCP(80)
    assert hash(TCP(80, syn=True)) == hash(TCP(source=80, syn=True))
    assert UDP(1, 2) != TCP(1, 2)
    assert TCP(1) != "TCP"
    assert len({TCP(80), TCP(80), UDP(80)}) == 2


def test_flags_are_booleans_and_one_integer() -> None:
    tcp = TCP(syn=True, ack=True)
    assert tcp.flags == 0x12
    assert (tcp.syn, tcp.fin) == (True, False)
    assert TCP(flags=0x12) == tcp  # type: ignore[call-arg]
    assert tcp.replace(syn=False, fin=True).flags == 0x11
    assert tcp.replace(flags=4) == TCP(rst=True)
    assert TCP.flag_bits()["syn"] == 2


def test_patterns_match() -> None:
    def say(one: Header) -> str:
        match one:
            case TCP(syn=True, ack=False):
                return "opening"
            case TCP(80, port):
                return f"from the web to {port}"
            case MSS(size):
                return f"at most {size}"
            case _:
                return "other"

    assert say(TCP(syn=True)) == "opening"
    assert say(TCP(80, 9, syn=True, ack=True)) == "from the web to 9"
    assert say(MSS(1460)) == "at most 1460"
    assert say(UDP()) == "other"


def test_a_header_can_be_a_pattern_of_what_was_given() -> None:
    wanted = TCP(syn=True, ack=True)
    assert wanted.matches(TCP(80, 5, syn=True, ack=True, window=1))
    assert not wanted.matches(TCP(80, 5, syn=True))
    assert not wanted.matches(UDP())
    parsed = UDP.parse(bytes(UDP(1, 2)))
    assert parsed.matches(parsed)
    assert not parsed.matches(UDP(1, 2))


def test_shown_for_programs_and_for_people() -> None:
    assert repr(TCP(80, syn=True)) == "TCP(source=80, syn=True)"
    assert eval(repr(TCP(80, syn=True))) == TCP(80, syn=True)
    assert repr(IPv4(source="10.0.0.1")) == "IPv4(source='10.0.0.1')"
    assert str(UDP(53, 7)) == "UDP: source 53, destination 7"
    assert "protocol TCP (6), checksum 0x00ff" in str(IPv4(protocol=6, checksum=255))
    assert "kind seven (7)" in str(Sample(kind=7))


def test_copies_and_pickles() -> None:
    sample = Sample(3, last=True, text=b"x", count=1)
    assert pickle.loads(pickle.dumps(sample)) == copy.copy(sample) == copy.deepcopy(sample) == sample
    assert pickle.loads(pickle.dumps(Sealed)) is Sealed
    assert repr(Sealed) == "Sealed"


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"source": 65536}, WireError, r"^TCP\.source: 65536; expected an integer from 0 to 65535$"),
        ({"source": "80"}, WireError, r"^TCP\.source: '80'; expected an integer"),
        ({"source": Sealed}, WireError, "no neighbour decides it"),
        ({"reserved": 8}, WireError, "from 0 to 7"),
        ({"sourc": 80}, TypeError, "no field 'sourc'; it has source, destination"),
    ],
)
def test_callers_mistakes_raise_at_once(values: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        TCP(**values)  # type: ignore[arg-type]


def test_more_mistakes() -> None:
    with pytest.raises(TypeError, match="'mss' is missing"):
        MSS()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 1 values; 2 were given"):
        MSS(1, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'source' is given twice"):
        TCP(1, source=2)  # type: ignore[misc]
    with pytest.raises(TypeError, match="has no field 'color'"):
        TCP().replace(color=3)
    with pytest.raises(WireError, match=r"^IPv4\.source: '10\.0\.0'"):
        IPv4(source="10.0.0")
    with pytest.raises(WireError, match="expected bytes"):
        Sample(text="text")  # type: ignore[arg-type]
    with pytest.raises(WireError, match=r"^Sample\.count: 300; expected an integer from 0 to 255"):
        Sample().replace(count=300)
    assert Header.pack is not Sample.pack


def test_damage_is_said_with_field_offset_and_reason() -> None:
    with pytest.raises(WireError, match=r"UDP\.length \(header at octet 2\): truncated: 5 octets are there") as caught:
        UDP.parse(bytes(7), 2)
    assert (caught.value.field, caught.value.offset) == ("UDP.length", 2)
    with pytest.raises(WireError, match=r"TCP\.options .* -20 octets expected, 0 there"):
        TCP.parse(bytes(20))
    with pytest.raises(WireError, match=r"Sample\.text .* 9 octets expected, 2 there"):
        Sample.parse(bytes(Sample(count=9, text=b"ab")))
    assert UDP.parse(bytearray(8)) == UDP(0, 0, 0, 0)  # type: ignore[arg-type]


def test_what_cannot_be_built_says_why() -> None:
    with pytest.raises(WireError, match=r"UDP\.length: Sealed, and nothing around it says its value"):
        UDP(1, 2).pack()
    with pytest.raises(WireError, match=r"TCP\.data_offset: 16 does not fit"):
        TCP(checksum=1).pack(16)
    with pytest.raises(WireError, match=r"^UDP\.source: 70000; expected"):
        UDP.of(70000, 1, 8, 0).pack()
    with pytest.raises(WireError, match="UDP"):
        UDP(1, 2).pack(checksum="x", length=1)


def test_lengths_can_be_wrong_on_purpose() -> None:
    assert bytes(Sample(count=99, text=b"ab"))[-3 - 4 :].hex() == "637f0000016162"
    assert bytes(TCP(data_offset=15, checksum=7))[12] == 0xF0


def test_what_the_deriver_does_not_know_goes_to_construct() -> None:
    @header
    class Odd(Header):
        """Ends in formats that only construct knows."""

        first: int = wire(Int8ub, default=1)
        number: int = wire(VarInt, default=300)
        flag: bool = wire(Flag, default=True)
        rest_bits: int = wire(BitsInteger(7), default=0)
        tail: bytes = wire(GreedyBytes, default=b"")

    odd = Odd(number=1 << 20, tail=b"end")
    assert bytes(odd).hex() == "0180804080" + b"end".hex()
    assert Odd.parse(bytes(odd)) == odd
    assert len(odd) == 8
    with pytest.raises(WireError, match="number"):
        Odd.parse(b"\1\x80")
    with pytest.raises(WireError, match=r"Odd\.number"):
        Odd.of(1, -5, True, 0, b"").pack()


def test_a_length_of_earlier_fields_is_checked() -> None:
    @header
    class Counted(Header):
        """A field of a length that must hold."""

        count: int = wire(Int8ub)
        parts: bytes = wire(Bytes(this.count * 2))

    assert Counted.parse(b"\2abcdef") == Counted(2, b"abcd")
    with pytest.raises(WireError, match=r"Counted\.parts: b'abc' does not fit"):
        bytes(Counted(2, b"abc"))

    @header
    class Fixed(Header):
        """Constants are construct's."""

        magic: bytes = wire(Const(b"\xca\xfe"), default=b"\xca\xfe")
        number: int = wire(Int32ul, default=0)

    assert Fixed.parse(b"\xca\xfe\1\0\0\0").number == 1
    with pytest.raises(WireError, match="magic"):
        Fixed.parse(b"\xca\xff\1\0\0\0")
    with pytest.raises(WireError, match="3 octets; expected 4"):
        IPv4.fields["source"].__class__(Bytes(4), b"", None, "", name="x").check(b"abc")


def test_a_length_by_any_expression() -> None:
    @header
    class Strange(Header):
        """A length that is no expression of the deriver's."""

        count: int = wire(Int8ub)
        parts: bytes = wire(Bytes(lambda context: context.count + 1))

    assert Strange.parse(b"\1ab") == Strange(1, b"ab")
    assert bytes(Strange(1, b"ab")) == b"\1ab"


def test_bits_must_be_whole_octets() -> None:
    with pytest.raises(TypeError, match="7 bits are not whole octets"):

        @header
        class Broken(Header):
            """Seven bits."""

            part: int = wire(BitsInteger(7))


def test_names_that_every_header_has_are_taken() -> None:
    with pytest.raises(TypeError, match="Sized cannot have a field 'size'"):

        @header
        class Sized(Header):
            """Its size would hide that of all headers."""

            size: int = wire(Int8ub)  # type: ignore[misc]


def test_wide_bits() -> None:
    @header
    class Wide(Header):
        """Twenty-four bits in three fields."""

        a: int = wire(BitsInteger(4))
        b: int = wire(BitsInteger(18), default=Sealed)
        c: int = wire(BitsInteger(2), default=0)

    assert bytes(Wide(1, 2, 3)).hex() == "10000b"
    assert Wide.parse(bytes.fromhex("10000b")) == Wide(1, 2, 3)
    with pytest.raises(WireError, match=r"Wide\.b"):
        Wide(1).pack(1 << 18)


def test_a_field_says_what_its_bits_are() -> None:
    assert [(f.name, f.bits) for f in Sample.fields.values()][:4] == [("version", 4), ("urgent", 1), ("last", 1), ("kind", 10)]
    assert (Sample.fields["wide"].bits, Sample.fields["address"].bits, Sample.fields["text"].bits) == (24, 32, None)
    assert TCP.fields["syn"].doc == TCP.syn.__doc__ == "synchronize sequence numbers"
    assert Sample.size == 16
