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


@pytest.mark.parametrize("text", [
    "import math, sys\nfrom math import floor as down\nassert math.ceil(2.5) == 3 and down(2.5) == 2",
    "total = 0\nfor i in range(5):\n  if i == 3: break\n  total += i\nelse:\n  total = 99\nassert total == 3",
    "n = 0\nwhile True:\n    n += 1\n    if n % 2: continue\n    if n > 5: break\nassert n == 6",
    "while False: pass\nelse: done = 1\nassert done",
    "def near(a, b, by=10):\n    \'\'\'How near.\'\'\'\n    if abs(a - b) <= by: return True\n    return False\n"
    "assert near(5, 10) and not near(5, 50) and near(5, 50, by=100) and near(b=1, a=1)",
    "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nassert f(5) == 120",
    "def f():\n    global x\n    x = 5\nx = 1\nf()\nassert x == 5",
    "double = lambda a: a * 2\nassert [double(x) for x in range(4) if x % 2] == [2, 6]",
    "x = 7\nassert sum(x for x in (1, 2)) == 3 and x == 7",
    "d = {'a': 1}\nd['b'] = 2\nassert sorted(d.keys()) == ['a', 'b'] and {v: k for k, v in d.items()}[2] == 'b' and d.get('c') is None",
    "l = [3, 1]\nl.append(2)\nl += [4]\nl.sort()\nassert l == [1, 2, 3, 4] and l[1:] == [2, 3, 4] and l[-1] == 4 and len(l) == 4",
    "a = b = 1\na, (b, c) = b, (2, 3)\na, b = b, a\nassert (a, b, c) == (2, 1, 3)",
    "assert 'a,b'.split(',') == ['a', 'b'] and '-'.join(['a', 'b']) == 'a-b' and '{} {1}'.replace('{1}', '{}').format(1, 2) == '1 2'",
    "assert f'{7:03d} {1.5:.2f} {tcpi_state!r}' == \"007 1.50 1\" and '%3d|%s' % (1, 'a') == '  1|a' and 'ab' * 2 == 'abab'",
    "assert any(x > 1 for x in [1, 2]) and all([1, 1]) and isinstance(3, int) and not isinstance(3, (str, list)) and divmod(7, 2) == (3, 1)",
    "x = 1\ndel x\nif tcpi_state: x = 2\nassert x == 2",
    "print tcpi_state\nif tcpi_state:\n  print 'a', tcpi_rtt\nassert 1",
    "    assert tcpi_snd_cwnd == 10,\\\n tcpi_snd_cwnd\n ",
    "# only a remark",
])  # fmt: skip
def test_the_rest_of_the_language(text: str) -> None:
    run_code(text, NAMES)


def test_functions_stay_for_later_blocks() -> None:
    variables: dict[str, Any] = {}
    run_code("def cwnd(n):\n    assert tcpi_snd_cwnd == n, tcpi_snd_cwnd", NAMES, variables)
    run_code("cwnd(10)", NAMES, variables)
    with pytest.raises(CodeMismatch):
        run_code("cwnd(10)", NAMES | {"tcpi_snd_cwnd": 11}, variables)


def test_a_raised_error_fails_as_an_assertion_does() -> None:
    with pytest.raises(CodeMismatch, match="no ValueError"):
        run_code("if tcpi_state == 1: raise ValueError('state %d' % tcpi_state)", NAMES)


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
    "import subprocess", "import os; os.system('x')", "import os.path", "from os import system", "__import__('os')", "open('/etc/passwd')", "tcpi_state.__class__", "(lambda: 1).__code__", "exec('1')", "eval('1')",
    "[open for x in (1, 2)]", "def f(*a): pass", "while 1: pass", "def f(): f()\nf()", "f = lambda n: f(n)\nf(1)", "return", "break",
    "l = [1]\nl.append(l)", "l = [1]\nl[0] = l", "l = (1,)\nwhile 1: l = (l, l)", "for i in range(10 ** 9): pass", "sum(range(10 ** 12))",
    "list(range(10 ** 9))", "[].extend(range(10 ** 9))", "0.5 in range(10 ** 12)", "' '.join(range(10 ** 9))", "'ab'.replace('a', 9999 * 'bc')",
    "'{0.__class__}'.format(1)", "'{:>99999}'.format(1)", "'{:{}}'.format(1, 99999)", "'x'.encode()", "'x'.ljust(10 ** 9)", "str.format",
    "d = {}\nd.x = 1", "a, b = 1, 2, 3", "a, b = 1", "for x in 1: pass", "lambda x: x; y", "with open('x'): pass", "try: pass\nfinally: pass",
    "x = [1]\nx[5]", "{}['a']", "min.__self__", "print(*(1, 2))", "def f(a): pass\nf()", "def f(a): pass\nf(1, a=1)", "(x := 3)", "async def f(): pass",
    "del tcpi_state", "a.b = 1", "a = b = c = 1; a[0]", "min(*(1, 2))",
    "print(end=open)", "'x' * 10 ** 9", "10 ** 9 * 'x'", "'%999999999d' % 1", "'%*d' % (99, 1)", "2 ** 10 ** 10", "1 << 10 ** 6",
    "len.__self__", "f'{tcpi_state!r:>99999999}'", "f'{1:>999999999}'", "x", "1 / 0", "int('x')", "assert (", "1j", "b''",
    "int('9' * 99)", "@f\nclass A: pass",
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
