"""Fields of applications: DNS."""

from __future__ import annotations

from stack.capture.fields import Field

FIELDS: list[Field] = []
