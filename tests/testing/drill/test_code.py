"""Code blocks: what they can say, what fails them, and that nothing else is possible."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.testing.drill.code import CodeMismatch, run_code
from stack.testing.drill.place import Place, ScriptError

NAMES = {"tcpi_snd_cwnd": 10, "tcpi_state": 1, "TCP_ESTABLISHED": 1, "tcpi_options": 0x27, "TCPI_OPT_SYN_DATA": 0x20, "tcpi_rtt": 100_000}


@pytest.mark.parametrize("text", [
    " assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd ",
    "\nassert tcpi_state == TCP_ESTABLISHED, tcpi_state\nassert (tcpi_options & TCPI_OPT_SYN_DATA) != 0  # why\n",
    "assert 99000 <= tcpi_rtt <= 101000; assert tcpi_snd_cwnd == 10, 'cwnd=%d' % tcpi_snd_cwnd",
    "assert not tcpi_snd_cwnd < 10 and (tcpi_snd_cwnd > 100 or max(tcpi_snd_cwnd, 3) == 10)",
    "a = 2 ** 10\na += 1 << 3\nassert a // 2 == 516 and a % 5 == 2 and -a < 0 and ~0 == -1 and 7 / 2 == 3.5",
    "if tcpi_snd_cwnd == 10:\n    x = 1\nelse:\n    x = 2\nassert x == 1",
    "    assert abs(-3) == len('abc')\n    assert tcpi_snd_cwnd in (1, 10)\n    pass",
    "assert (1 if tcpi_state else 2) == 1, f'{tcpi_state}'",
])  # fmt: skip
def test_what_holds_passes(text: str) -> None:
    assert run_code(text, NAMES) == []


def test_what_does_not_hold_says_where_and_what_was_seen() -> None:
    text = "\nassert tcpi_state == 1\nassert tcpi_snd_cwnd == 20, 'cwnd=%d' % tcpi_snd_cwnd\n"
    with pytest.raises(CodeMismatch) as caught:
        run_code(text, NAMES, place=Place("f.pkt", 7, 5))
    assert caught.value.place == Place("f.pkt", 9, 1)
    assert caught.value.seen == {"tcpi_snd_cwnd": 10}
    assert caught.value.reason == "an assertion does not hold: cwnd=10"
    assert caught.value.expected == "tcpi_snd_cwnd == 20"
    assert caught.value.actual == "tcpi_snd_cwnd = 10"


def test_variables_stay_for_later_blocks() -> None:
    variables: dict[str, Any] = {}
    run_code("before = tcpi_rtt", NAMES, variables)
    run_code("assert tcpi_rtt - before == 5", NAMES | {"tcpi_rtt": 100_005}, variables)
    assert variables == {"before": 100_000}


def test_prints_are_handed_back() -> None:
    assert run_code("print('cwnd', tcpi_snd_cwnd)\nprint()", NAMES) == ["cwnd 10", ""]


@pytest.mark.parametrize("text", [
    "import os", "__import__('os')", "open('/etc/passwd')", "tcpi_state.__class__", "(lambda: 1)()", "exec('1')", "eval('1')",
    "[x for x in (1, 2)]", "def f(): pass", "while 1: pass", "del tcpi_state", "a.b = 1", "a = b = c = 1; a[0]", "min(*(1, 2))",
    "print(end=open)", "'x' * 10 ** 9", "10 ** 9 * 'x'", "'%999999999d' % 1", "'%*d' % (99, 1)", "2 ** 10 ** 10", "1 << 10 ** 6",
    "len.__self__", "f'{tcpi_state!r:>99999999}'", "f'{1:>999999999}'", "x", "1 / 0", "int('x')", "assert (", "global x", "1j", "b''",
    "int('9' + '9' * 3)", "@f\nclass A: pass",
])  # fmt: skip
def test_nothing_else_is_possible(text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        run_code(text, NAMES, place=Place("f.pkt", 3, 4))
    assert caught.value.place.file == "f.pkt"
    assert caught.value.place.line >= 3


pieces = st.sampled_from(["assert ", "tcpi_state", "1", "==", "(", ")", "\n", " ", "+", "'", "%", "*", "if ", ":", "max", ",", "\\", "\0", "lambda", "["])


@settings(deadline=None)
@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_runs_or_is_refused(text: str) -> None:
    try:
        run_code(text, NAMES)
    except (ScriptError, CodeMismatch) as error:
        assert str(error)  # noqa: PT017 - two kinds of refusal
