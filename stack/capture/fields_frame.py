"""Fields of the frame itself: its number, times, lengths, comment and interface."""

from __future__ import annotations

from stack.capture.fields import Field, Kind

FIELDS = [
    Field("frame", Kind.PRESENCE, lambda view: [view.record.data]),
    Field("frame.number", Kind.INTEGER, lambda view: [view.record.number]),
    Field("frame.len", Kind.INTEGER, lambda view: [view.record.length]),
    Field("frame.cap_len", Kind.INTEGER, lambda view: [view.record.captured_length]),
    Field("frame.time_epoch", Kind.TIME, lambda view: [view.record.time]),
    Field("frame.time_relative", Kind.TIME, lambda view: [view.time_relative]),
    Field("frame.time_delta", Kind.TIME, lambda view: [view.time_delta]),
    Field("frame.comment", Kind.STRING, lambda view: () if view.record.comment is None else [view.record.comment]),
    Field("frame.interface_name", Kind.STRING, lambda view: [view.record.interface] if view.record.interface else ()),
]
