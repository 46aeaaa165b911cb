"""A header's format is a drawing in both senses."""

from __future__ import annotations

import pytest

from stack import TCP, UDP, diagram


def test_a_diagram_is_characters_when_printed_and_a_picture_in_a_notebook() -> None:
    drawn = diagram(UDP)
    assert "|             length            |            checksum           |" in str(drawn)
    assert drawn._repr_html_().startswith("<svg")
    assert diagram(UDP(source=1, destination=2)) == drawn != diagram(TCP)


def test_what_is_no_header_has_no_diagram() -> None:
    with pytest.raises(TypeError, match="expected one like TCP"):
        diagram(int)  # type: ignore[arg-type]
