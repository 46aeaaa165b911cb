"""The ledger of requirements: `@rfc("9293", "MUST-58")` says which passage of which RFC a test holds the code to."""

from __future__ import annotations

import pytest


def rfc(number: str, section: str) -> pytest.MarkDecorator:
    """Mark a test with a requirement's label (`MUST-58`) or a section (`3.10.7.4`) of an RFC."""
    return pytest.mark.rfc(number, section)
