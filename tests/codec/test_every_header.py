"""Every header type, held to its construct declaration: on any octets and any values both agree."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.base.errors import WireError
from stack.codec.header import Header
from tests.codec.anything import few, header_types, octets, values

TYPES = header_types()
each_type = pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)


def by_construct(kind: type[Header], data: bytes) -> tuple[dict[str, Any], int] | None:
    """Fields and length as construct itself parses them, or None where it rejects."""
    stream = BytesIO(data)
    try:
        parsed = kind.format.parse_stream(stream)
    except (c.ConstructError, ValueError):
        return None
    return {name: parsed[name] for name in kind.fields}, stream.tell()


def derived(kind: type[Header], data: bytes) -> tuple[dict[str, Any], int] | None:
    """The same by the derived code."""
    try:
        header, size = kind.decode(data, 0, len(data))
    except WireError:
        return None
    return {name: getattr(header, name) for name in kind.fields}, size


def test_there_are_many_types() -> None:
    names = {kind.__name__ for kind in TYPES}
    assert {"Ethernet", "IPv4", "IPv6", "TCP", "UDP", "DNS", "MSS", "RRSIG", "Fragment", "IGMP"} <= names
    assert len(names) == len(TYPES) > 70


@each_type
@few
@given(st.data())
def test_derived_parsing_agrees_with_construct(kind: type[Header], data: st.DataObject) -> None:
    frame = data.draw(octets(kind))
    assert derived(kind, frame) == by_construct(kind, frame)


@each_type
@few
@given(st.data())
def test_derived_building_agrees_with_construct(kind: type[Header], data: st.DataObject) -> None:
    given_values = data.draw(values(kind))
    assert kind(**given_values).pack() == kind.format.build(given_values)


@each_type
@few
@given(st.data())
def test_building_what_was_parsed_gives_the_same_octets(kind: type[Header], data: st.DataObject) -> None:
    frame = data.draw(octets(kind))
    try:
        header, size = kind.decode(frame, 0, len(frame))
    except WireError:
        return
    assert header.pack() == bytes(header) == frame[:size]
    assert len(header) == size
    assert kind.parse(bytes(header)) == header


@each_type
@few
@given(st.data())
def test_passing_over_a_header_is_parsing_it(kind: type[Header], data: st.DataObject) -> None:
    frame = data.draw(octets(kind))
    start, end = data.draw(st.sampled_from((0, 3))), len(frame)
    frame = b"\xff" * start + frame + b"\xff" * 2
    end += start
    following, at, stop = kind.skip(frame, start, end)
    try:
        header, after = kind.decode(frame, start, end)
        reach = header.extent(end - after)
    except WireError:
        assert following is None
        with pytest.raises(WireError):
            kind.step(frame, start, end)
        return
    expected = after + reach if 0 <= reach < end - after else end
    assert (at, stop) == (after, expected)
    assert following is (header.carries() if after < expected else None)
    assert kind.step(frame, start, end) == (header, after, expected, following)


@each_type
@few
@given(st.data())
def test_what_is_not_said_is_sealed_and_reads_back(kind: type[Header], data: st.DataObject) -> None:
    """Built with its Sealed fields computed, a header that can be parsed has the values it was made of."""
    chosen = {n: v for n, v in data.draw(values(kind)).items() if not kind.fields[n].sealable}
    try:
        header = kind(**chosen)
        built = bytes(header)
        parsed, size = kind.decode(built, 0, len(built))
    except WireError:
        return
    if size == len(built):
        assert {name: getattr(parsed, name) for name in chosen} == {name: getattr(header, name) for name in chosen}


@each_type
def test_every_type_says_what_it_is(kind: type[Header]) -> None:
    assert (kind.__doc__ or "").strip()
    assert repr(kind.format)
    assert kind.derived.startswith("def decode")


@each_type
@few
@given(st.data())
def test_walking_is_one_step_after_another(kind: type[Header], data: st.DataObject) -> None:
    frame = data.draw(octets(kind))
    headers: list[Header] = []
    at, end, following = 0, len(frame), kind
    try:
        while following is not None:
            header, at, end, following = following.step(frame, at, end)
            headers.append(header)
    except WireError:
        pass
    assert kind.walk(frame) == (tuple(headers), at, end)
