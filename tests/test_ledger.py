"""The ledger of requirements is whole and true: every label of the RFC, files that exist, a page that is up to date."""

import re

import pytest

from tests.ledger import PAGE, ROOT, TCP, marks, page
from tests.requirements import ABSENT, REQUIREMENTS
from tests.requirements_others import PASSAGES, TITLES

RFC = ROOT.parent / "shared" / "rfc" / "rfc9293.txt"
TESTED = {mark.section for mark in marks() if mark.number == TCP}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.ledger"


def test_what_is_required_is_done_and_tested_or_says_why_not() -> None:
    for one in REQUIREMENTS:
        assert one.note or one.label in TESTED, f"{one.label}: no test, and no reason"
        assert bool(one.code) == (one.label in TESTED), f"{one.label}: code and tests go together"
        assert not one.code or (ROOT / "stack" / one.code).is_file(), f"{one.label}: no file stack/{one.code}"


def test_marks_name_requirements_that_there_are() -> None:
    labels = [one.label for one in REQUIREMENTS]
    assert len(labels) == len(set(labels))
    assert {section for section in TESTED if "-" in section} <= set(labels)


def test_passages_of_other_rfcs_are_done_and_tested_or_say_why_not() -> None:
    tested = {(mark.number, mark.section) for mark in marks()}
    for one in PASSAGES:
        where = f"RFC {one.number} section {one.section}"
        assert bool(one.code) == ((one.number, one.section) in tested), f"{where}: code and tests go together"
        assert one.code or one.note, f"{where}: not done, and no reason"
        assert not one.code or (ROOT / "stack" / one.code).is_file(), f"{where}: no file stack/{one.code}"


def test_marks_name_passages_that_there_are() -> None:
    passages = [(one.number, one.section) for one in PASSAGES]
    assert len(passages) == len(set(passages))
    assert {(mark.number, mark.section) for mark in marks() if mark.number in TITLES} <= set(passages)


def test_what_is_absent_is_absent() -> None:
    done = {one.number for one in PASSAGES if one.code}
    assert not done & set(ABSENT)


def test_every_label_of_the_rfc_is_in_the_ledger() -> None:
    if not RFC.exists():
        pytest.skip("the text of RFC 9293 is not here: ../shared/rfc/rfc9293.txt")
    text = RFC.read_text(encoding="utf-8", errors="replace")
    found = {f"{kind}-{number}" for kind, number in re.findall(r"\b(MUST|SHLD|MAY|REC)-\s*(\d+)", text)}
    assert {one.label for one in REQUIREMENTS} == found
