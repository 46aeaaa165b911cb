"""Plots: the numbers that they show, and that they can be drawn."""

from dataclasses import replace
from pathlib import Path

import pytest

from stack.codec.packet import Packet
from stack.view import plot
from stack.view.segments import conversation
from tests.view.builders import handshake, lossy, records, segment


def test_a_connection_as_numbers() -> None:
    found = conversation(records(lossy()))
    assert (found.opener, found.other) == ("10.0.0.1:49152", "10.0.0.2:80")
    assert not found.busier(), "the server sends more"
    lost, sack = found.segments[4], found.segments[8]
    assert (lost.time, lost.sequence, lost.length, lost.forward) == (60_000_000, 1, 1000, False)
    assert (sack.acknowledgment, sack.window, sack.sacks) == (1, 502 << 7, ((1001, 2001),))


def test_what_the_sender_calls_a_retransmission_is_one() -> None:
    def text(sequence: int) -> Packet:
        return segment(text=b"y" * 50, sequence=sequence, acknowledgment=5001, ack=True)

    seen = records([*handshake(), text(1051), text(1001)])  # so soon that it looks as if it had only been overtaken
    told = [*seen[:-1], replace(seen[-1], comment="fast retransmit of 1:51")]
    assert not conversation(seen).segments[-1].findings & plot.AGAIN
    assert conversation(told).segments[-1].findings & plot.AGAIN


def test_numbers_go_on_where_the_sequence_space_wraps() -> None:
    top = (1 << 32) - 1
    packets = [
        segment(sequence=top - 100, syn=True),
        segment(text=b"x" * 100, sequence=top - 99, acknowledgment=1, ack=True),
        segment(text=b"y" * 50, sequence=1, acknowledgment=1, ack=True),
    ]
    assert [one.sequence for one in conversation(records(packets)).segments] == [0, 1, 102]


def test_where_there_is_no_connection_that_is_said() -> None:
    with pytest.raises(ValueError, match="no TCP connection"):
        conversation([])
    with pytest.raises(ValueError, match="no TCP stream 3"):
        conversation(records(handshake()), 3)


def test_a_time_sequence_graph_marks_what_was_sent_again() -> None:
    picture = plot.time_sequence(records(lossy()))
    labels = picture.axes.get_legend_handles_labels()[1]
    assert labels == ["segment", "retransmission", "SYN, FIN", "acknowledged", "window's end", "SACK"]
    assert picture.axes.get_title() == "10.0.0.2:80 → 10.0.0.1:49152"


@pytest.mark.parametrize("draw", [plot.time_sequence, plot.throughput, plot.window])
def test_every_plot_can_be_saved_and_shown(draw: object, tmp_path: Path) -> None:
    picture = draw(records(lossy()))  # type: ignore[operator]
    picture.save(tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_bytes().startswith(b"<?xml")
    assert picture._repr_png_().startswith(b"\x89PNG")
